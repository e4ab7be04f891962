#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""schema.py NAME < ANSWER: is it what docs/schema/NAME.schema.json says?"""
import json
import os
import sys

import jsonschema

top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(top, "docs/schema", sys.argv[1] + ".schema.json")) as f:
    schema = json.load(f)
jsonschema.Draft7Validator.check_schema(schema)
jsonschema.validate(json.load(sys.stdin), schema)
print("fine")
