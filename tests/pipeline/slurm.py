"""A real SLURM of one node on this machine, for the tests: its daemons listen on the loopback interface alone."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

DAEMONS = ("slurmctld", "slurmd")
WAIT_SECONDS = 60

# No accounting, no authentication, no cgroups: limits of time and memory hold all the same.
CONFIGURATION = """\
ClusterName=binloom
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MpiDefault=none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=16000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Return why SLURM cannot run here, or an empty text if it can."""
    absent = [daemon for daemon in DAEMONS if not shutil.which(daemon)]
    if absent:
        return f"{' and '.join(absent)} not on PATH: SLURM is not tried (`make testbed` installs it)"
    return "" if os.getuid() == 0 else "the daemons of SLURM need root here: SLURM is not tried"


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def node_is_idle(environment: dict[str, str]) -> bool:
    """Tell whether the one node is there and without work."""
    state = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True, check=False)
    return state.stdout.strip() == "idle"


@contextmanager
def running_slurm(folder: Path):
    """Start SLURM with its state in `folder`; give the environment in which its commands find it, and stop it."""
    host = socket.gethostname().split(".")[0]
    configuration = folder / "slurm.conf"
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    ports = {"controller_port": free_port(), "node_port": free_port()}
    configuration.write_text(CONFIGURATION.format(host=host, folder=folder, **ports))
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    daemons = [
        subprocess.Popen(
            [name, "-D", "-f", str(configuration)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for name in DAEMONS
    ]
    try:
        limit = time.monotonic() + WAIT_SECONDS
        while not node_is_idle(environment):
            logs = "\n".join(log.read_text()[-2000:] for log in folder.glob("*.log"))
            assert time.monotonic() < limit, f"SLURM did not start:\n{logs}"
            time.sleep(0.5)
        yield {"SLURM_CONF": str(configuration)}
    finally:
        subprocess.run(["scancel", "--user", "root"], env=environment, capture_output=True, check=False)
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
