"""Threads for a process that has only one: the work of each is done as soon as somebody waits, from its beginning to its end.

So programs whose threads share work run unchanged, one after the other. What waits while nothing is left to do would wait for
ever: where the program began that is an error, and a thread is given up there.
"""

import asyncio
import collections
import concurrent.futures.thread
import contextlib
import queue
import threading
import time

_NEVER = (
    "the program waits for something that nothing will ever finish: the sandbox has one thread, and threads run one after the other"
)
_sleep = time.sleep
#: What was started and has not begun: functions without arguments.
_waiting = collections.deque()
#: How many threads are inside of each other now.
_depth = 0


class _GivenUp(BaseException):
    """Ends a thread that would wait for ever."""


def _until(is_over, timeout):
    """Does what waits to be done until the condition holds; whether it does when the seconds have passed."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while not is_over():
        if take_turn():
            continue
        if deadline is None:
            raise stuck()
        _sleep(max(0, deadline - time.monotonic()))
        return is_over()
    return True


def take_turn():
    """Does the work that waits longest; whether there was any."""
    if not _waiting:
        return False
    _waiting.popleft()()
    return True


def stuck():
    """What to raise where something waits for ever."""
    return _GivenUp() if _depth else RuntimeError(_NEVER)


def finish():
    """Does what a program that ends waits for."""
    while work := next((work for work in _waiting if not getattr(work, "daemon", False)), None):
        _waiting.remove(work)
        work()


def sleep(seconds):
    """Meanwhile others have their turn."""
    end = time.monotonic() + seconds
    while take_turn():
        pass
    _sleep(seconds if seconds < 0 else max(0, end - time.monotonic()))


class Lock:
    """A lock that lets others go on while it waits."""

    def __init__(self):
        self._is_held = False

    def acquire(self, blocking=True, timeout=-1):
        """Whether it is held now."""
        if self._is_held and not (blocking and _until(lambda: not self._is_held, None if timeout < 0 else timeout)):
            return False
        self._is_held = True
        return True

    def release(self):
        """Lets it go."""
        if not self._is_held:
            raise RuntimeError("release unlocked lock")
        self._is_held = False

    def locked(self):
        """Whether somebody holds it."""
        return self._is_held

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


@contextlib.contextmanager
def apart():
    """What runs inside may have an event loop of its own."""
    running = asyncio._get_running_loop()
    if running is None:
        yield
        return
    swap = getattr(asyncio.tasks, "_swap_current_task", lambda loop, task: None)
    task = swap(running, None)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)
        swap(running, task)


class _Work:
    """A thread that waits for its turn."""

    def __init__(self, thread):
        self.thread = thread
        self.daemon = thread.daemon

    def __call__(self):
        global _depth
        thread, here = self.thread, threading.get_ident()
        outer = threading._active.get(here)
        threading._active[here] = thread
        thread._ident = here
        _depth += 1
        try:
            with apart():
                thread.run()
        except _GivenUp:
            return
        except SystemExit:
            pass
        except BaseException as error:  # noqa: BLE001 - it ends the thread, not the program
            error.__traceback__ = error.__traceback__.tb_next
            threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, thread)))
        finally:
            _depth -= 1
            threading._active[here] = outer
        thread._is_over = True


def _start(self):
    if not self._initialized:
        raise RuntimeError("thread.__init__() not called")
    if self._started.is_set():
        raise RuntimeError("threads can only be started once")
    self._started.set()
    _waiting.append(_Work(self))


def _join(self, timeout=None):
    if not self._started.is_set():
        raise RuntimeError("cannot join thread before it is started")
    if self is threading.current_thread():
        raise RuntimeError("cannot join current thread")
    _until(lambda: self._is_over, timeout)


def _is_alive(self):
    while take_turn():
        pass
    return self is threading.main_thread() or self._started.is_set() and not self._is_over


def _wait(self, timeout=None):
    if not self._is_owned():
        raise RuntimeError("cannot wait on un-acquired lock")
    before = self._notices
    held = self._release_save()
    try:
        return _until(lambda: self._notices != before, timeout)
    except _GivenUp:
        self._is_missed = True
        raise
    finally:
        self._acquire_restore(held)


def _notify(self, n=1):
    if not self._is_owned():
        raise RuntimeError("cannot notify on un-acquired lock")
    if self._is_missed:
        # Whoever should hear it was given up.
        raise stuck()
    self._notices += 1


class Pool(concurrent.futures.Executor):
    """The executor of both kinds."""

    def __init__(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=(), **_):
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        self._begin = (lambda: initializer(*initargs)) if initializer else None
        self._is_shut = False
        self._mine = []

    def submit(self, fn, /, *given, **named):
        """A future of what the function returns."""
        if self._is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = concurrent.futures.Future()

        def work():
            begin, self._begin = self._begin, None
            if not future.set_running_or_notify_cancel():
                return
            try:
                if begin:
                    begin()
                with apart():
                    future.set_result(fn(*given, **named))
            except BaseException as error:  # noqa: BLE001 - whoever asks the future gets it
                future.set_exception(RuntimeError(_NEVER) if isinstance(error, _GivenUp) else error)

        self._mine.append(future)
        _waiting.append(work)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Does what is left."""
        self._is_shut = True
        for future in self._mine if cancel_futures else ():
            future.cancel()
        if wait:
            concurrent.futures.wait(self._mine)
        self._mine = []


def install():
    """Puts these in the place of what needs other threads."""
    threading.Lock = threading._allocate_lock = Lock
    threading.Thread._is_over = False
    threading.Thread.start, threading.Thread.join, threading.Thread.is_alive = _start, _join, _is_alive
    threading.Condition._notices, threading.Condition._is_missed = 0, False
    threading.Condition.wait, threading.Condition.notify = _wait, _notify
    threading.Condition.notify_all = threading.Condition.notifyAll = _notify
    queue.SimpleQueue = queue._PySimpleQueue
    time.sleep = sleep
    concurrent.futures.ThreadPoolExecutor = concurrent.futures.thread.ThreadPoolExecutor = Pool
    concurrent.futures.ProcessPoolExecutor = Pool
