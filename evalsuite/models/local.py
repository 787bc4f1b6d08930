"""A language model on this machine: weights, tokenizer, chat template, stop tokens, and an adapter where named.

Loads and describes; `sluice.evalsuite.generate` asks it for answers. Code from model folders is never executed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sluice.core.errors import InputError, SurroundingsError
from sluice.evalsuite.models.identity import ModelFiles
from sluice.evalsuite.models.quiet import quiet_libraries
from sluice.evalsuite.models.template import Messages, end_of_turn, prompt_ids

Precision = Literal["float32", "bfloat16", "float16"]
Quantisation = Literal["nf4"]

_UNKNOWN_LENGTH = 1_000_000  # tokenizers without a limit say 1e30
_PROBE_TEXT = "Say in one sentence what a sluice is, then name three rivers."


@dataclass
class LocalModel:
    """A loaded model, in eval mode.

    Attributes:
        files: what was loaded.
        model: the transformers model, or the PEFT model around it where an adapter is on.
        tokenizer: its tokenizer, padding token set.
        device: "cpu", "cuda", "cuda:1", "mps".
        dtype: precision of the weights that are not quantised.
        quantisation: "nf4" or None.
        adapter: the adapter's folder, or None.
        stop_ids: token ids that end an answer: end of text and the template's end of turn.
        context_length: tokens that fit, prompt and answer together.
    """

    files: ModelFiles
    model: Any
    tokenizer: Any
    device: str
    dtype: Precision
    quantisation: Quantisation | None
    adapter: Path | None
    stop_ids: frozenset[int]
    context_length: int

    @property
    def base(self) -> Any:
        """The transformers model itself; adapter layers, where there are any, sit inside it."""
        return self.model.get_base_model() if self.adapter is not None else self.model

    def prompt_ids(self, messages: Messages) -> list[int]:
        """Return the token ids that ask for the next assistant turn after `messages`."""
        return prompt_ids(self.tokenizer, messages, self.files.chat_template)

    @contextlib.contextmanager
    def adapter_off(self) -> Iterator[None]:
        """Answer as the base does inside the block; without an adapter nothing changes."""
        if self.adapter is None:
            yield
            return
        with self.model.disable_adapter():
            yield

    def adapter_is_on(self, prompts: Sequence[Messages] = ()) -> float:
        """Show that the adapter changes what the model says, before anything is scored with it.

        Logits of the next token are compared with the adapter on and off. The same forward pass twice with the
        adapter off gives the size of rounding noise on this machine.

        Args:
            prompts: messages to try; a fixed question where there are none.

        Returns:
            The largest absolute difference between the logits of any prompt.

        Raises:
            SurroundingsError: no difference beyond rounding: the adapter is not on, and nothing may be scored.
        """
        import torch

        if self.adapter is None:
            raise SurroundingsError("no adapter was loaded", remedy="load the model with one")
        largest, noise = 0.0, 0.0
        for messages in prompts or [[{"role": "user", "content": _PROBE_TEXT}]]:
            ids = torch.tensor([self.prompt_ids(messages)], device=self.device)
            with torch.inference_mode():
                on = self.base(input_ids=ids, logits_to_keep=1).logits.float()
                with self.adapter_off():
                    off = self.base(input_ids=ids, logits_to_keep=1).logits.float()
                    again = self.base(input_ids=ids, logits_to_keep=1).logits.float()
            largest = max(largest, float((on - off).abs().max()))
            noise = max(noise, float((off - again).abs().max()), _rounding(self.dtype) * float(off.abs().max()))
        if not largest > noise:
            raise SurroundingsError(
                f"the adapter changes nothing: logits differ by {largest:.2g}, rounding alone makes {noise:.2g}",
                where=str(self.adapter),
                remedy="train it again, or check that its files are whole (sluice verify)",
            )
        return largest


def load(
    model_files: ModelFiles,
    dtype: Precision = "float32",
    device: str = "cpu",
    adapter: Path | None = None,
    quantisation: Quantisation | None = None,
) -> LocalModel:
    """Load a model, and an adapter on it.

    Args:
        model_files: from `resolve_model`.
        dtype: precision of the weights; with `quantisation` the precision of the computation.
        device: "cpu", "cuda", "cuda:N" or "mps".
        adapter: folder of a PEFT adapter to put on the base.
        quantisation: "nf4" for 4-bit weights (bitsandbytes, NF4 with double quantisation), else None.

    Raises:
        InputError: an architecture unknown to transformers, a template or files that cannot be read.
        SurroundingsError: out of memory, missing packages, an adapter that does not fit.
    """
    with quiet_libraries():
        tokenizer = load_tokenizer(model_files)
        model = _load_weights(model_files, dtype, device, quantisation)
        if adapter is not None:
            model = _put_on(model, adapter, device)
    model.eval()
    template_stop = end_of_turn(tokenizer, model_files.chat_template)
    stops = {template_stop, tokenizer.eos_token_id, *_as_ids(model.generation_config.eos_token_id)}
    stops |= set(_as_ids(model.config.get_text_config().eos_token_id))
    return LocalModel(
        files=model_files,
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=dtype,
        quantisation=quantisation,
        adapter=adapter,
        stop_ids=frozenset(stop for stop in stops if stop is not None),
        context_length=context_length(model.config, tokenizer),
    )


def load_tokenizer(model_files: ModelFiles) -> Any:
    """Load a model's tokenizer alone (a tenth of a second, without the weights), with a padding token set."""
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise SurroundingsError(
            "models need packages that are not installed", remedy='pip install "sluiceway[train]"'
        ) from error
    with quiet_libraries():
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(
                str(model_files.folder), trust_remote_code=False, local_files_only=True
            )
        except (ValueError, OSError, KeyError) as error:
            raise _unreadable(model_files, error) from error
    if model_files.chat_template is not None:
        tokenizer.chat_template = model_files.chat_template
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def context_length(config: Any, tokenizer: Any) -> int:
    """Return how many tokens fit: the lesser of the model's positions and the tokenizer's limit, where known."""
    limits = [getattr(config.get_text_config(), "max_position_embeddings", None), tokenizer.model_max_length]
    known = [int(limit) for limit in limits if limit is not None and limit < _UNKNOWN_LENGTH]
    return min(known) if known else _UNKNOWN_LENGTH


def tokens_that_fit(model_files: ModelFiles, tokenizer: Any) -> int:
    """Return the context length of a model from its configuration alone, without the weights."""
    from transformers import AutoConfig

    loader: Any = AutoConfig
    try:
        config = loader.from_pretrained(str(model_files.folder), local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError, KeyError) as error:
        raise _unreadable(model_files, error) from error
    return context_length(config, tokenizer)


def _load_weights(model_files: ModelFiles, dtype: Precision, device: str, quantisation: Quantisation | None) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {"dtype": getattr(torch, dtype), "trust_remote_code": False, "local_files_only": True}
    if quantisation is not None:
        options["quantization_config"] = _four_bit(dtype)
        options["device_map"] = device
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(str(model_files.folder), **options)
        return model if quantisation is not None else model.to(device)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise SurroundingsError(
            f"the model does not fit into the memory of {device}",
            where=str(model_files.folder),
            remedy="choose a smaller model, quantisation nf4, or another device",
        ) from error
    except ImportError as error:
        raise SurroundingsError(f"a package is missing: {error}", remedy='pip install "sluiceway[train]"') from error
    except (ValueError, OSError, KeyError) as error:
        raise _unreadable(model_files, error) from error


def _four_bit(dtype: Precision) -> Any:
    """NF4 with double quantisation, as in QLoRA (Dettmers et al. 2023)."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, dtype),
    )


def _put_on(model: Any, adapter: Path, device: str) -> Any:
    """Put a PEFT adapter on a base and check that every key of its file found its place."""
    from peft import PeftModel
    from peft.utils import get_peft_model_state_dict, load_peft_weights

    if not (adapter / "adapter_config.json").is_file():
        raise InputError("this folder holds no adapter", where=str(adapter), remedy="name an adapter's folder")
    try:
        # In the precision of the base: float32 adapters on a bfloat16 base would be cast at every step.
        wrapped: Any = PeftModel.from_pretrained(
            model, str(adapter), is_trainable=False, autocast_adapter_dtype=False, torch_device=device
        )
        saved = set(load_peft_weights(str(adapter), device="cpu"))
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        raise SurroundingsError(
            f"the adapter does not fit the model: {str(error).splitlines()[0]}",
            where=str(adapter),
            remedy="use the base it was trained on",
        ) from error
    placed = set(get_peft_model_state_dict(wrapped))
    if saved != placed:
        raise SurroundingsError(
            f"{len(saved ^ placed)} weights of the adapter have no place in the model, or the model's have none in it",
            where=str(adapter),
            remedy="use the base it was trained on",
        )
    dtype = model.get_input_embeddings().weight.dtype
    for name, parameter in wrapped.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.to(dtype)
    return wrapped


def _unreadable(model_files: ModelFiles, error: Exception) -> InputError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return InputError(
        f"the model cannot be read: {lines[0]}",
        where=str(model_files.folder),
        remedy="it needs code of its own, which is never run, or its files are damaged: choose another model",
    )


def _as_ids(value: Any) -> list[int]:
    if value is None:
        return []
    return [int(item) for item in value] if isinstance(value, (list, tuple)) else [int(value)]


def _rounding(dtype: Precision) -> float:
    """Relative spacing of numbers in a precision."""
    import torch

    return float(torch.finfo(getattr(torch, dtype)).eps)
