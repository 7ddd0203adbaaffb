"""The zoo's records: every named architecture with what is known of it before it is built."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import timm
from torch import nn

from cxrpipe.config import nearest
from cxrpipe.models.fusion import Fusion
from cxrpipe.models.scratch import SCRATCH
from cxrpipe.runtime import UserError

# Grey levels from 0 to 1 of the films of no collection in particular.
ANY_MEAN, ANY_STD = 0.5, 0.25


def known_of(backbone: str) -> Any:  # noqa: ANN401 - timm's record
    """Return what timm knows of an architecture and its pretrained weights."""
    return timm.get_pretrained_cfg(backbone)


@dataclass(frozen=True)
class Entry:
    """One architecture.

    Attributes
    ----------
    name
        As recipes give it.
    backbones
        Names in timm, each with the tag of its pretrained weights, if there are any.
    feature_map
        Module of the backbone whose output is its last map, which Grad-CAM explains.
    mean, std
        Grey-level normalisation, from 0 to 1, that pretrained weights expect.
    side
        Pixels that the architecture was made for.
    make
        Builds it from ``in_chans``, ``num_classes`` and ``side``, if it does not come from timm.
    """

    name: str
    backbones: tuple[str, ...]
    feature_map: str
    mean: float
    std: float
    side: int
    make: Callable[..., nn.Module] | None = None

    @property
    def is_pretrained(self) -> bool:
        """Whether there are pretrained weights of all its backbones."""
        return bool(self.backbones) and all(known_of(name).has_weights for name in self.backbones)


def from_timm(name: str, backbone: str, feature_map: str = "") -> Entry:
    """Return the record of a network of timm.

    The greys are averages over the three colours, since timm adds the first layer's colours up.
    """
    told = known_of(backbone)
    mean, std = sum(told.mean) / len(told.mean), sum(told.std) / len(told.std)
    return Entry(name, (backbone,), feature_map, mean, std, told.input_size[-1])


def from_scratch(name: str) -> Entry:
    """Return the record of one of the small networks that have no pretrained weights."""
    return Entry(name, (), "features", ANY_MEAN, ANY_STD, 256, SCRATCH[name])


def fuse() -> Entry:
    """Return the record of the fusion of ResNet50V2 and Xception."""
    parts = [ZOO["resnet50v2"], ZOO["xception"]]
    backbones = tuple(name for part in parts for name in part.backbones)
    mean, std = (sum(getattr(part, key) for part in parts) / len(parts) for key in ("mean", "std"))
    return Entry("fusion", backbones, "blocks", mean, std, 299, Fusion)


# Pretrained weights are those of ImageNet-1k in their classical version, torchvision's (tv) or
# TensorFlow's (tf), where timm has it. Of ResNet152V2 it has none, and of EfficientNet-B7 only the
# TensorFlow variant, whose padding differs.
TIMM = {
    "mobilenetv2": ("mobilenetv2_100.ra_in1k", "bn2"),
    "vgg16": ("vgg16.tv_in1k", "features"),
    "vgg19": ("vgg19.tv_in1k", "features"),
    "xception": ("legacy_xception.tf_in1k", "act4"),
    "inception_v3": ("inception_v3.tv_in1k", "Mixed_7c"),
    "inception_resnet_v2": ("inception_resnet_v2.tf_in1k", "conv2d_7b"),
    "nasnetalarge": ("nasnetalarge.tf_in1k", "act"),
    "efficientnet_b1": ("efficientnet_b1.ft_in1k", "bn2"),
    "efficientnet_b7": ("tf_efficientnet_b7.aa_in1k", "bn2"),
    "resnet50v2": ("resnetv2_50.a1h_in1k", "norm"),
    "resnet152v2": ("resnetv2_152", "norm"),
    "densenet121": ("densenet121.tv_in1k", "features"),
    "densenet201": ("densenet201.tv_in1k", "features"),
} | {f"resnet{depth}": (f"resnet{depth}.tv_in1k", "layer4") for depth in (18, 34, 50, 101, 152)}

ZOO = {name: from_timm(name, *told) for name, told in TIMM.items()}
ZOO |= {name: from_scratch(name) for name in SCRATCH}
ZOO["fusion"] = fuse()


def find_entry(architecture: str) -> Entry:
    """Return the record of an architecture of the zoo, or of any other of timm.

    Raises
    ------
    UserError
        If there is none; names the nearest.
    """
    if architecture in ZOO:
        return ZOO[architecture]
    names = [*ZOO, *timm.list_models()]
    if "." in architecture:
        names += timm.list_pretrained()
    if architecture in names:
        return from_timm(architecture, architecture)
    hint = nearest(architecture, names)[:200]
    raise UserError(f"models: no architecture '{architecture}' in the zoo or in timm; {hint}")
