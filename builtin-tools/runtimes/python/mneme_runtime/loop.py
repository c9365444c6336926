"""The event loop: asyncio's own, over WASI's way of waiting instead of sockets and threads."""

import asyncio

from . import host, processes, threads


class _Waiting:
    """Stands where asyncio expects a selector. Knows what is awaited of the host, and waits for it or for a timer."""

    def __init__(self):
        self.awaited = []

    def select(self, timeout):
        """Blocks until something is ready; seconds, or None for as long as it takes."""
        if timeout != 0 and threads.take_turn():
            return []
        if timeout is None and not self.awaited:
            raise threads.stuck()
        if not self.awaited:
            if timeout > 0:
                host.sleep(timeout)
            return []
        ready = host.wait([source for source, _ in self.awaited], timeout)
        done = [self.awaited[index][1] for index in ready]
        self.awaited = [pair for index, pair in enumerate(self.awaited) if index not in ready]
        return done

    def close(self):
        self.awaited.clear()


class Loop(asyncio.BaseEventLoop):
    """An event loop for one thread that is alone in its process."""

    def __init__(self):
        super().__init__()
        self._selector = _Waiting()

    def _process_events(self, done):
        for future in done:
            if not future.done():
                future.set_result(None)

    def _write_to_self(self):
        """Nothing to wake: there are no other threads."""

    def run_in_executor(self, executor, function, *arguments):
        """Runs the function at once: there are no threads to run it in."""
        future = self.create_future()
        try:
            with threads.apart():
                future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - whoever awaits the future gets it
            future.set_exception(error)
        return future

    async def _make_subprocess_transport(self, protocol, args, *_, **__):
        processes.refuse(args)

    async def ready(self, source):
        """Waits until the host says that the source is ready, while other tasks run."""
        future = self.create_future()
        self._selector.awaited.append((source, future))
        await future


class Policy(asyncio.events._BaseDefaultEventLoopPolicy if hasattr(asyncio.events, "_BaseDefaultEventLoopPolicy")
             else asyncio.DefaultEventLoopPolicy):
    """Gives `asyncio.run` and its relatives this kind of loop."""

    _loop_factory = Loop


def run(awaitable):
    """The result of an awaitable."""

    async def wait():
        return await awaitable

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(wait())


def install():
    """Makes `Loop` what asyncio uses from now on."""
    setter = getattr(asyncio.events, "_set_event_loop_policy", None) or asyncio.set_event_loop_policy
    setter(Policy())
    asyncio.SelectorEventLoop = asyncio.DefaultEventLoop = Loop
