#!/usr/bin/env python3
"""Prints what TensorBoard reads in a folder of event files, as JSON: {tag: [[step, value, wall time], ...]}; NaN is null."""

import json
import math
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
print(json.dumps({tag: [[e.step, None if math.isnan(e.value) else e.value, e.wall_time] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
