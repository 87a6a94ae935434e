"""Dagster's webserver and daemon as two children that live and die together."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from factor_pipeline.errors import WarehouseBusyError
from factor_pipeline.instance import shipped

if TYPE_CHECKING:
    from factor_pipeline.runs import Pipeline

_HOST = "127.0.0.1"
_GRACE_SECONDS = 20


def serve(pipeline: "Pipeline", *, port: int, read_only: bool) -> int:
    """Run webserver and daemon until a signal or until one of them ends; return an exit code.

    The webserver has no login and accepts changes over GET, so it listens on the loopback
    address only.

    Raises
    ------
    WarehouseBusyError
        When another `ui` serves the same home: two daemons would fire every schedule twice.
    """
    pipeline.home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(pipeline.home / ("ui-read-only.lock" if read_only else "ui.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WarehouseBusyError(
            f"another `factor-pipeline ui` serves {pipeline.home}; stop it first"
        ) from error
    with lock:
        pipeline.prepare()
        return _supervise(_commands(port, read_only=read_only), port)


def _commands(port: int, *, read_only: bool) -> list[list[str]]:
    workspace = ["-w", str(shipped("workspace.yaml"))]
    web = [sys.executable, "-m", "dagster_webserver", "-h", _HOST, "-p", str(port), *workspace]
    if read_only:
        return [[*web, "--read-only"]]
    return [web, [sys.executable, "-m", "dagster._daemon", "run", *workspace]]


def _supervise(commands: Sequence[Sequence[str]], port: int) -> int:
    ended = threading.Event()
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # Children get their own process group: Ctrl-C reaches us alone, and we end them in order.
    children = [
        subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own commands
        for command in commands
    ]
    for child in children:
        threading.Thread(target=_announce_end, args=(child, ended), daemon=True).start()
    sys.stderr.write(f"Dagster UI: http://{_HOST}:{port} (Ctrl-C stops it)\n")
    sys.stderr.flush()
    ended.wait()
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    for child in children:
        try:
            child.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return 0 if stopping.is_set() else 1


def _announce_end(child: "subprocess.Popen[bytes]", ended: threading.Event) -> None:
    child.wait()
    ended.set()
