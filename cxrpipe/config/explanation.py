"""Settings of what is shown of a model: heatmaps and their scores, features, mistakes, filters."""

from typing import Literal

from pydantic import Field

from cxrpipe.config.settings import Settings

Method = Literal["gradcam", "gradcam++", "hirescam", "cam", "ablationcam", "integrated"]


class Gradcam(Settings):
    """Which heatmaps are drawn."""

    films_per_finding: int = Field(3, ge=1, le=20, description="test films, drawn at random")
    stride: int = Field(0, ge=0, description="pixels a map cell covers; 0: the last feature map")
    layer: str = Field("", description="module of the network, by its dotted name; before stride")
    methods: tuple[Method, ...] = Field(
        ("gradcam", "gradcam++", "hirescam", "cam", "ablationcam", "integrated"),
        min_length=1,
        description="drawn of the surest right film of every finding, beside each other",
    )
    depths: int = Field(
        5, ge=1, le=12, description="layers, shallow to deep, of right films and each confusion"
    )


class Localise(Settings):
    """How heatmaps are scored."""

    films: int = Field(200, ge=1, description="test films at most that each score looks at")
    altered: int = Field(
        24, ge=0, description="of them, films at most into which and from which pixels are moved"
    )
    steps: int = Field(10, ge=2, le=100, description="in which pixels are inserted and deleted")


class Latent(Settings):
    """How the features of films are laid out."""

    films: int = Field(1000, ge=10, le=5000, description="test films at most, of every task")
    perplexity: float = Field(25, gt=1, description="of t-SNE: neighbours that a film minds")
    som: int = Field(15, ge=2, le=50, description="cells of a side of the self-organising map")
    neighbours: int = Field(5, ge=1, le=20, description="listed of every film")


class Errors(Settings):
    """Which mistakes are shown."""

    per_finding: int = Field(10, ge=1, le=50, description="mistakes on films of each finding")


class Filters(Settings):
    """Which filters are shown by the picture that moves them most."""

    layers: int = Field(3, ge=1, le=12, description="shallow to deep")
    per_layer: int = Field(4, ge=1, le=32, description="filters of each layer")
    steps: int = Field(40, ge=1, le=1000, description="of the ascent")
    side: int = Field(96, ge=32, le=512, description="pixels of a picture")
