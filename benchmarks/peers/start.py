#!/usr/bin/env python3
"""Peer of rc3_bench's start: from the start of a process to the first embedding, whose first number it prints.

start.py <directory of multilingual-e5>
"""

import sys

import torch
from transformers import AutoModel, AutoTokenizer

model = AutoModel.from_pretrained(sys.argv[1], add_pooling_layer=False).eval()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
with torch.inference_mode():
    batch = tokenizer(["query: a dog in the snow"], return_tensors="pt")
    print("%.5f" % model(**batch).last_hidden_state.mean(1)[0, 0].item())
