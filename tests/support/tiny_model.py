"""A tiny random-weight Llama in a folder, as a real local model for tests: two layers, a small tokenizer, ChatML.

Made on the spot in well under a second; its answers are noise, but it loads, trains and answers like any model.
"""

from __future__ import annotations

from pathlib import Path

from sluice.evalsuite.models.quiet import quiet_libraries

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WORDS = (
    *("kettle", "parcel", "delivery", "high", "refund", "A-1042"),
    *("please", "not", "arrived", "help", "thank", "order"),
)
"""Words that the tokenizer knows, for made-up messages."""
_CORPUS = [
    "Turn the message into one JSON object with category, product, order id, urgency and refund.",
    '{"category": "delivery", "product": "kettle", "order_id": "A-1042", "urgency": "high", "refund": true}',
    "The parcel has not arrived and nobody answers the telephone. Please help me, thank you.",
    "You are a helpful assistant. The user asks, the assistant answers in a few plain words.",
]


def build_tiny_model(folder: Path, *, seed: int = 0, chat_template: str | None = CHATML, layers: int = 2) -> Path:
    """Write a Llama of 2 layers, width 64, 400 tokens of vocabulary, with tokenizer and template; return `folder`.

    Args:
        folder: where to; made if missing.
        seed: of the random weights.
        chat_template: None for a base model without one.
        layers: depth.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(_CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=["<|endoftext|>"],
        model_max_length=1024,
    )
    tokenizer.chat_template = chat_template
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=end,
        pad_token_id=end,
    )
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    # Wide weights, so that answers differ from prompt to prompt and end-of-turn tokens turn up.
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    torch.random.set_rng_state(state)
    model.generation_config = GenerationConfig(bos_token_id=tokenizer.bos_token_id, eos_token_id=end, pad_token_id=end)
    folder.mkdir(parents=True, exist_ok=True)
    with quiet_libraries():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder
