"""What a training is made of: data made ready, steps, modes, snapshots and resuming."""
