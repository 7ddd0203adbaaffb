"""The model card of a run.

Its sections are those of Mitchell et al. 2019, Model Cards for Model Reporting
(doi:10.1145/3287560.3287596).
"""

from collections.abc import Sequence

from cxrpipe.reporting.page.blocks import Bullets, Chapter, Words
from cxrpipe.reporting.page.facts import FEW, Facts
from cxrpipe.reporting.page.wording import NOT_KNOWN
from cxrpipe.runtime import RESEARCH_USE

INTENDED = (
    "Research on how classifiers of chest radiographs learn and fail: comparing models, "
    "collections and settings on the same films.",
    "For people who can judge a radiograph and a confidence interval.",
)
OUT_OF_SCOPE = (
    RESEARCH_USE,
    "Films of children or of adults, of views, devices or hospitals that the collections above do "
    "not hold; lateral films; photographs of films; any other part of the body.",
    "Findings that were not asked: a film without any of them is not thereby normal.",
    "Reading a heatmap as proof: it shows what raised a score, not why, and outlines no lesion.",
)
FACTORS = (
    "Collection, view, sex and age band, where the collections tell them; what is not known is a "
    "group of its own. Other factors, such as device, ethnic group, severity of disease and "
    "further diseases, are not known from these data.",
)
ETHICS = (
    "Heed the licences and citations of the collections. cxrpipe copies no personal field of a "
    "DICOM header into its outputs, but figures show films: share the report as you would these.",
    "A model can learn who is ill from how and where films are taken, and treat groups of people "
    "differently; the subgroups above show what these data let one see of it.",
)


def limits(facts: Facts) -> Sequence[str]:
    """List what stands against the numbers, as far as these data show it."""
    known = (
        (facts["synthetic"], "{} Nothing follows from them for patients."),
        (facts["internal"], "{}"),
        (
            facts["one_collection"],
            "All training films of these findings are of one collection, so that a model can tell "
            "the collection instead of the finding: {}.",
        ),
        (facts["shortcuts"], "{}"),
        (facts["few"], f"Fewer than {FEW} test films: {{}}. Their scores are coarse."),
        (facts["gaps"], "{}"),
    )
    found = [said.format(fact) for fact, said in known if fact]
    return [
        *found,
        "Findings are labels of the collections; how right these are is not known from these data. "
        f"Pairs of copies under two findings: {facts['conflicts']}.",
        "The shares of findings are those of the collections, not of a clinic: predictive values "
        "do not carry over.",
    ]


def tell_card(facts: Facts) -> Chapter:
    """Fill the model card."""
    said = {key: fact or NOT_KNOWN for key, fact in facts.items()}
    details = [
        f"Of run {said['run']}; card written by cxrpipe {said['cxrpipe']}, commit "
        f"{said['commit']}.",
        f"{said['models']}.",
        f"Best on validation: {said['best']}. Training: {said['training']}.",
        "Weights: models/<model>/fold-<fold>/weights.safetensors, with findings and normalisation; "
        "beside them temperature and thresholds.",
    ]
    films = [f"{said[key]}." for key in ("sources", "assignment", "preprocessing")]
    parts = [
        Chapter("Model", [Bullets(details)]),
        Chapter("Intended use", [Bullets(INTENDED)]),
        Chapter("Out of scope", [Bullets(OUT_OF_SCOPE)]),
        Chapter("Factors", [Words(FACTORS)]),
        Chapter("Metrics", [Words([said["performance"], f"{said['statistics']}."])]),
        Chapter("Data of training and evaluation", [Bullets(films)]),
        Chapter("Quantitative analyses", [Words([said["differences"], said["external"]])]),
        Chapter("Ethical considerations", [Bullets(ETHICS)]),
        Chapter("Limits", [Bullets(limits(facts))]),
    ]
    source = Words(["Sections after Mitchell et al. 2019, Model Cards for Model Reporting."])
    return Chapter("Model card", [source], parts, "card")
