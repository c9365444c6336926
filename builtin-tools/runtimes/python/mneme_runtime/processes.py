"""What needs other programs says that there are none."""

import errno
import os
import subprocess
import sys
import types


def refuse(command=None, *_, **__):
    """Raises the error that tells it."""
    words = command if isinstance(command, (list, tuple)) else str(command).split()
    shown = f": {os.fsdecode(words[0])!r} cannot be run" if words and command is not None else ""
    raise OSError(errno.ENOSYS, f"there are no other programs in the sandbox{shown}")


class Process:
    """`multiprocessing.Process`, which cannot be."""

    def __init__(self, *_, **__):
        raise OSError(errno.ENOSYS, "there are no other processes in the sandbox: use threads, which run one after the other")


class Result:
    """What an asynchronous call of a pool comes to."""

    def __init__(self, futures, made):
        self._futures, self._made = futures, made

    def get(self, timeout=None):
        """The value, or the exception."""
        return self._made([future.result(timeout) for future in self._futures])

    def wait(self, timeout=None):
        """Until it is there."""
        for future in self._futures:
            future.exception(timeout)

    def ready(self):
        """Whether it is there."""
        return all(future.done() for future in self._futures)

    def successful(self):
        """Whether it is a value."""
        return all(future.exception() is None for future in self._futures)


class Pool:
    """`multiprocessing.Pool` and `ThreadPool`: calls are made one after the other."""

    def __init__(self, processes=None, initializer=None, initargs=(), **_):
        from . import threads

        self._pool = threads.Pool(processes, initializer=initializer, initargs=initargs)

    def apply_async(self, func, args=(), kwds=None, callback=None, error_callback=None):
        """One call."""
        future = self._pool.submit(func, *args, **(kwds or {}))

        def told(future):
            tell = callback if future.exception() is None else error_callback
            if tell:
                tell(future.result() if future.exception() is None else future.exception())

        future.add_done_callback(told)
        return Result([future], lambda values: values[0])

    def starmap_async(self, func, iterable, chunksize=None, **_):
        """A call for each list of arguments."""
        return Result([self._pool.submit(func, *given) for given in iterable], list)

    def map_async(self, func, iterable, chunksize=None, **_):
        """A call for each argument."""
        return self.starmap_async(func, [(given,) for given in iterable])

    def apply(self, func, args=(), kwds=None):
        """The value of one call."""
        return self.apply_async(func, args, kwds).get()

    def map(self, func, iterable, chunksize=None):
        """The values in order."""
        return self.map_async(func, iterable).get()

    def starmap(self, func, iterable, chunksize=None):
        """The values in order."""
        return self.starmap_async(func, iterable).get()

    def imap(self, func, iterable, chunksize=None):
        """The values, one by one."""
        return self._pool.map(func, iterable)

    imap_unordered = imap

    def close(self):
        """No more calls."""
        self._pool.shutdown(wait=False)

    def terminate(self):
        """No more calls, and not those that wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def join(self):
        """Makes the calls that wait."""
        self._pool.shutdown()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.join()


def install():
    """Puts these where programs look for them."""
    import multiprocessing

    subprocess.Popen.__init__ = lambda self, args=None, *_, **__: refuse(args)
    os.system = refuse
    pools = types.ModuleType("multiprocessing.pool")
    pools.Pool = pools.ThreadPool = multiprocessing.Pool = Pool
    pools.AsyncResult = pools.ApplyResult = pools.MapResult = Result
    multiprocessing.Process, multiprocessing.pool = Process, pools
    sys.modules["multiprocessing.pool"] = pools
