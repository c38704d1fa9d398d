"""peft comes without bitsandbytes where nothing is quantized.

That it adapts quantized layers all the same, the conformance tests show: they train by each method in one process.
"""

import subprocess
import sys
from importlib.util import find_spec

import pytest

CODE = """
import sys
from llm_twin_assets.inference.peft_import import import_without_quantizer

import_without_quantizer()
import_without_quantizer()
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import is_bitsandbytes_available

small = LlamaConfig(vocab_size=32, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)
get_peft_model(LlamaForCausalLM(small), LoraConfig(target_modules=["q_proj"]))
assert "bitsandbytes" not in sys.modules
assert is_bitsandbytes_available()
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="there is none to leave out")
def test_an_adapter_needs_no_quantizer() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
