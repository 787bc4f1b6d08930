"""Keep transformers and huggingface_hub from drawing bars and notices while a library call of ours runs.

Reports of long work go through our own progress callbacks. Settings are put back afterwards.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_NOISY_LOGGERS = ("accelerate", "bitsandbytes", "huggingface_hub", "peft", "trl")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence bars, warnings and notices below errors of the model libraries inside the block."""
    from transformers.utils import logging as transformers_logging

    bars = transformers_logging.is_progress_bar_enabled()
    verbosity = transformers_logging.get_verbosity()
    levels = {name: logging.getLogger(name).level for name in _NOISY_LOGGERS}
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    for name in _NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
