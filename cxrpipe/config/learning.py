"""Settings of what is learnt: the task, the network, and how it is trained."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from cxrpipe.config.settings import Settings

HEAD = re.compile(r"linear|pool|flatten|((pool|flatten)-)?[1-9]\d*(-[1-9]\d*)*")


class Task(Settings):
    """What models of a run learn: which findings, on the films of which sources.

    ``single`` gives every film exactly one of the findings (softmax); ``multi`` gives every finding
    a yes or no of its own (sigmoid), so that a film may have several or none; ``binary`` is that
    of one finding.
    """

    kind: Literal["single", "multi", "binary"] = "single"
    findings: tuple[str, ...] = Field((), description="classes in order; empty: all of the recipe")
    sources: tuple[str, ...] = Field((), description="collections; empty: all of the recipe")
    truncate: int | Literal["smallest"] = Field(
        0, description="training films of every finding at most; 0: all. Other subsets stay whole"
    )

    @model_validator(mode="after")
    def _has_findings_for_its_kind(self) -> Self:
        if self.kind == "binary" and len(self.findings) != 1:
            raise ValueError(f"binary is about one finding; got {len(self.findings)}")
        if self.kind == "single" and len(self.findings) == 1:
            raise ValueError("single needs at least two findings; binary is about one")
        return self


class Augmentation(Settings):
    """Random changes of a training radiograph, each drawn evenly between minus and plus."""

    flip: float = Field(0.5, ge=0, le=1, description="probability of a left-right flip")
    rotation: float = Field(10, ge=0, le=180, description="degrees")
    translation: float = Field(0.05, ge=0, le=0.5, description="share of the side")
    zoom: float = Field(0.1, ge=0, lt=1, description="share of the size")
    contrast: float = Field(0.2, ge=0, lt=1, description="share of the contrast")
    brightness: float = Field(0.1, ge=0, lt=1, description="share of the grey scale")
    gamma: float = Field(
        0,
        ge=0,
        lt=1,
        description="of the exponent's logarithm: e to the -gamma up to e to the gamma",
    )
    noise: float = Field(
        0, ge=0, lt=1, description="share of the grey scale; standard deviation at most"
    )
    erase: float = Field(0, ge=0, le=1, description="probability that a rectangle is blanked")


class Training(Settings):
    """How a model is trained."""

    epochs: int = Field(20, ge=1)
    batch: int = Field(32, ge=2)
    halve_batch: bool = Field(
        False, description="if the memory is too small, add the gradients of parts of a batch up"
    )

    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd")
    learning_rate: float = Field(1e-3, gt=0)
    schedule: Literal["constant", "plateau", "cosine"] = Field(
        "cosine", description="cosine: the learning rate falls to zero over the epochs"
    )
    warm_up: float = Field(0, ge=0, description="epochs over which the learning rate rises")
    plateau_factor: float = Field(0.1, gt=0, lt=1, description="of the learning rate, at a plateau")
    plateau_patience: int = Field(5, ge=0, description="epochs without progress that are a plateau")
    weight_decay: float = Field(
        0, ge=0, description="L2 of the matrices and kernels, not of biases and norms"
    )
    clip_norm: float = Field(0, ge=0, description="longest gradient; 0: any")
    ema: float = Field(
        0, ge=0, lt=1, description="decay a step of the average of the weights; 0: none"
    )
    head_epochs: int = Field(0, ge=0, description="epochs that train the head alone, before all")

    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: float = Field(2, ge=0)
    class_weights: bool = Field(False, description="every finding counts equally in the loss")
    label_smoothing: float = Field(0, ge=0, lt=1)
    sampler: Literal["weighted", "shuffle"] = "weighted"

    monitor: Literal["loss", "accuracy", "macro_f1", "macro_auc"] = Field(
        "loss", description="validation score that chooses the epoch, the plateau and the stop"
    )
    patience: int = Field(5, ge=1, description="epochs without progress, after which it stops")
    keep: Literal["best", "last"] = Field("best", description="epoch whose weights are kept")

    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="auto: bf16 where the device computes it natively"
    )
    channels_last: bool = True
    compile: bool = False
    deterministic: bool = Field(True, description="bit for bit the same on one machine")
    save_every: float = Field(30, ge=0, description="seconds between states to go on from")
    tensorboard: bool = Field(False, description="write TensorBoard files beside the log")
    augmentation: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _has_epochs_enough(self) -> Self:
        if self.warm_up > self.epochs:
            raise ValueError(f"warm_up: {self.warm_up:g} epochs of {self.epochs}; give fewer")
        if self.head_epochs >= self.epochs and self.head_epochs:
            raise ValueError(
                f"head_epochs: {self.head_epochs} of {self.epochs} epochs leave none for the "
                "whole; give fewer, or trained: head"
            )
        return self


class Model(Settings):
    """One model: a network by name, its head, what it starts from, and how it is trained."""

    architecture: str = Field(
        description="name of the zoo or of timm, or package.module:Class of an own torch module"
    )
    task: str = Field("", description="of the recipe's tasks; empty: the first")
    weights: str = Field("none", description="none, imagenet, a safetensors file, or model:NAME")
    options: dict[str, int | float | str | bool | tuple[int, ...]] = Field(
        default_factory=dict, description="further arguments of the architecture"
    )
    head: str = Field(
        "linear",
        description="linear: the architecture's own last layer; pool: average and one layer; "
        "128-32: average and dense layers of so many units; flatten-1024: without averaging",
    )
    dropout: float = Field(0, ge=0, lt=1, description="in the head")
    dropout_at: Literal["first", "last", "all"] = Field(
        "all", description="before which of the head's layers"
    )
    bias: bool = Field(True, description="of the last layer")
    trained: Literal["all", "head"] = "all"
    side: int = Field(0, ge=0, le=1024, description="pixels; 0: preprocess.side")
    trained_on: str = Field(
        "",
        description="collection whose films alone train and choose it; empty: all of its task. It "
        "is tested on all",
    )
    seed: int = Field(0, ge=0, description="of initial weights, sampling and augmentation")
    training: Training = Training()
    point: dict[str, int | float | str | bool] = Field(
        default_factory=dict, description="the settings that the recipe's grid gave this model"
    )

    @property
    def start(self) -> str:
        """Name of the model of the same run whose weights this one starts from, or empty."""
        return self.weights.removeprefix("model:") if self.weights.startswith("model:") else ""

    @field_validator("head")
    @classmethod
    def _is_a_head(cls, head: str) -> str:
        if not HEAD.fullmatch(head):
            raise ValueError(f"'{head}': give linear, pool, flatten, or units such as 128-32")
        return head
