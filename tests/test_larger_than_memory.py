"""Memory that runs out, and mapped arrays larger than it, from file to forecast."""

import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import Dataset, split

# 256 MiB of features while the process may take up 96 MiB beyond what imports need.
PROGRAM = """
import resource, sys
import numpy as np
import minigrad as mg
from minigrad import nn, optim
from minigrad.data import Dataset, split

mg.set_num_threads(1)
x = np.load(sys.argv[1], mmap_mode="r")
y = np.load(sys.argv[2], mmap_mode="r")
model = nn.Sequential(nn.Linear(x.shape[1], 8), nn.ReLU(), nn.Linear(8, 1))
trainer = mg.Trainer(
    model, nn.MSELoss(), optim.Adam(model.parameters()), batch_size=256, metrics=["mae"]
)
mg.Trainer(model, nn.MSELoss(), trainer.optimizer).fit((x[:64], y[:64]))  # all is imported now
used = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmData"))
limit = used * 1024 + (96 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    np.ones_like(x)
except MemoryError:
    print("not enough memory for a copy")
train, val = split(Dataset(x, y), val=0.1)
history = trainer.fit(train, val=val, epochs=2)
print(len(train) + len(val), history["loss"][1] < history["loss"][0], trainer.predict(x).shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own memory as Linux does")
def test_it_trains_on_arrays_that_memory_cannot_hold(tmp_path):
    rows, columns = 1 << 17, 512
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (rows, columns))
    x[:, 0] = np.linspace(-1, 1, rows)  # the rest of the file stays a hole
    np.save(tmp_path / "y.npy", x[:, 0] * 2)
    del x
    command = [sys.executable, "-P", "-c", PROGRAM, tmp_path / "x.npy", tmp_path / "y.npy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = ["not enough memory for a copy", f"{rows} True ({rows}, 1)"]
    assert done.stdout.splitlines() == expected


# 160 MiB of room: what 120 MiB of freed tensors held must be had for others.
EXHAUSTED = """
import resource
import minigrad as mg

mg.set_num_threads(2)
one = mg.ones(1000, 1000)
(one @ one).sum().item()  # threads and caches are there
used = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmData"))
limit = used * 1024 + (160 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
zero = mg.tensor(0.0)
kept = [zero.expand((5 << 20,)).clone() for _ in range(6)]
del kept
print(zero.expand((30 << 20,)).clone().shape)
weight = mg.tensor([1.0] * 8, requires_grad=True)
loss = (weight.reshape(8, 1) + zero.expand((1, 20 << 20))).sum()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own memory as Linux does")
def test_idle_memory_is_given_back_before_an_error_says_how_much_was_wanted():
    command = [sys.executable, "-P", "-c", EXHAUSTED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"({30 << 20},)\n", done.stderr
    assert done.stderr.endswith(f"MemoryError: cannot allocate {640 << 20} bytes\n")


def train(data, val):
    mg.seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
    trainer = mg.Trainer(model, nn.MSELoss(), optim.Adam(model.parameters()), batch_size=16)
    history = trainer.fit(data, val=val, epochs=2)
    return history["loss"].tolist(), history["val_loss"].tolist(), trainer.predict(data).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("mapped", ["x", "y", "both"])
def test_the_bits_are_those_of_arrays_in_memory(tmp_path, dtype, mapped):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(90, 3)).astype(dtype), rng.normal(size=90).astype(dtype)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    disk = Dataset(
        np.load(tmp_path / "x.npy", mmap_mode=None if mapped == "y" else "r"),
        np.load(tmp_path / "y.npy", mmap_mode=None if mapped == "x" else "r"),
    )
    assert disk.on_disk
    assert train(*split(disk, val=30)) == train(*split(Dataset(x, y), val=30))
