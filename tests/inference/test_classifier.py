"""From a film to an answer in Python: the run's own preparation, weights and calibration."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from made import FINDINGS, MODEL, PREPROCESS, calibration, make_film, make_model
from PIL import Image

import cxrpipe
from cxrpipe.config import Index, Preprocess
from cxrpipe.data.films.film import UnusableFilmError, read_film
from cxrpipe.data.films.quality import measure_quality
from cxrpipe.inference import classifier as module
from cxrpipe.inference.answers import Refusal, answer
from cxrpipe.inference.films import prepare_film
from cxrpipe.models.zoo import Classifier as Network
from cxrpipe.models.zoo import build
from cxrpipe.preprocessing.files import Files
from cxrpipe.preprocessing.preprocess import prepare
from cxrpipe.preprocessing.radiograph import fit_square
from cxrpipe.runtime import UserError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a model as a run leaves it; the network is not trained."""
    return make_model(tmp_path_factory.mktemp("run"))


def test_the_package_names_it():
    assert cxrpipe.Classifier is module.Classifier
    with pytest.raises(AttributeError, match="no attribute 'Clasifier'"):
        _ = cxrpipe.Clasifier


def test_the_package_alone_imports_no_torch():
    told = "import sys, cxrpipe; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_answer_is_that_of_the_network_on_the_prepared_film(model, tmp_path):
    path = make_film(tmp_path / "a.png")
    answered = module.Classifier.load(model).classify(path)
    network = Network(build(MODEL, 3, seed=0), 0.5, 0.3).eval()
    square = fit_square(np.asarray(Image.open(path)), PREPROCESS)
    with torch.inference_mode():
        logits = network(torch.from_numpy(square)[None, None]).double().numpy()
    expected = calibration().probabilities(logits)[0]
    assert answered.film == str(path)
    np.testing.assert_allclose(list(answered.probabilities.values()), expected, atol=1e-6)
    assert answered.finding == FINDINGS[int(expected.argmax())]


@pytest.mark.parametrize("place", [".", "fold-0", "fold-0/weights.safetensors"])
def test_a_model_is_found_by_its_folder_its_fold_or_its_file(place, model):
    assert module.Classifier.load(model / place).findings == FINDINGS


def test_the_models_of_a_run_are_named_where_none_is_given(model):
    with pytest.raises(UserError, match="no weights here; its models: small; give the folder"):
        module.Classifier.load(model.parents[1])


def test_films_keep_their_order_and_broken_ones_are_refused_in_it(model, tmp_path):
    names = [make_film(tmp_path / f"{number}.png", number) for number in range(9)]
    names[4].write_bytes(b"no film")
    names[7].unlink()
    loaded = module.Classifier.load(model)
    answered = list(loaded.classify_each(names))
    assert [each.film for each in answered] == list(map(str, names))
    assert [each.film for each in answered if isinstance(each, Refusal)] == [
        str(names[4]),
        str(names[7]),
    ]
    assert answered[4].reason == "unreadable"
    alone = loaded.classify(names[8]).probabilities
    assert answered[8].probabilities == pytest.approx(alone, abs=1e-6)


def test_no_more_films_are_taken_than_a_few_batches(model, tmp_path):
    loaded = module.Classifier.load(model)
    loaded.network.n_at_once = 2
    path, taken = make_film(tmp_path / "a.png"), []

    def films():
        for number in range(1000):
            taken.append(number)
            yield path

    answers = loaded.classify_each(films())
    for _ in range(3):
        next(answers)
    answers.close()
    assert len(taken) <= 2 * (2 + 2)  # films of a batch; workers, one waiting, one that is read


def test_a_film_that_cannot_be_read_is_a_mistake_of_the_user(model, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no film")
    with pytest.raises(UserError, match=r"a\.png: unreadable"):
        module.Classifier.load(model).classify(tmp_path / "a.png")


def test_a_calibration_of_other_weights_is_refused(model, tmp_path):
    fold = tmp_path / "fold-0"
    fold.mkdir()
    for name in ("weights.safetensors", "calibration.json"):
        (fold / name).write_bytes((model / "fold-0" / name).read_bytes())
    other = calibration(sha256="0" * 64)
    (fold / "calibration.json").write_text(json.dumps(other.as_json()))
    with pytest.raises(UserError, match="fitted with weights of SHA-256 000000000000"):
        module.Classifier.load(tmp_path)
    (fold / "calibration.json").unlink()
    with pytest.raises(UserError, match="not readable as a calibration"):
        module.Classifier.load(tmp_path)


def test_a_pickle_is_not_opened(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(pickle.dumps({"weight": 1}))
    with pytest.raises(UserError, match="not readable as safetensors"):
        module.Classifier.load(tmp_path)


@pytest.mark.parametrize("fit", ["pad", "stretch"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_prepared_as_in_a_run(fit, orientation, tmp_path):
    """A run knows the size from the index, and decodes the film at a part of it."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50), dtype=np.uint8)
    large = Image.fromarray(pixels).resize((1000, 600), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    large.save(tmp_path / "a.jpg", exif=exif, quality=95)
    settings = Preprocess(side=64, fit=fit)
    size = (1000, 600) if orientation == 6 else (600, 1000)
    expected = prepare(Files("a", tmp_path / "a.jpg", size, {}), settings).pixels
    ready = prepare_film(tmp_path / "a.jpg", settings)
    np.testing.assert_array_equal(ready.square, expected)


def test_a_film_that_is_decoded_small_is_judged_at_its_full_size(tmp_path):
    """Of fine stripes hardly any contrast is left at an eighth of the size."""
    stripes = np.tile(np.array([60, 60, 180, 180], np.uint8), (1600, 400))
    Image.fromarray(stripes).save(tmp_path / "a.jpg", quality=95)
    settings = Preprocess(side=128)
    assert measure_quality(read_film(tmp_path / "a.jpg", side=128)).contrast < 0.1
    assert prepare_film(tmp_path / "a.jpg", settings).quality.contrast > 0.4


def test_the_index_of_the_run_says_how_many_pixels_a_film_may_have(tmp_path):
    path = make_film(tmp_path / "a.png", size=(1000, 1100))
    index = Index(max_megapixels=1)
    with pytest.raises(UnusableFilmError, match=r"1100 x 1000 pixels, over 1 million"):
        prepare_film(path, PREPROCESS, index)


# Answers


def test_an_answer_names_the_likeliest_what_reaches_its_threshold_and_what_is_possible():
    told = answer("a.png", np.array([2.0, 1.0, -4.0]), calibration())
    p = np.exp([1.0, 0.5, -2.0])
    np.testing.assert_allclose(list(told.probabilities.values()), p / p.sum())
    assert told.finding == "normal"
    assert told.above == ("normal",)  # 0.60 reaches 0.3; 0.36 is below 0.5; NaN is never reached
    assert told.conformal == ("normal", "covid")


def test_an_answer_of_yes_and_no_names_no_single_finding():
    fixed = calibration("multi", quantiles=(0.3, 0.6, 0.9))
    told = answer("a.png", np.array([4.0, 0.0, 0.0]), fixed)
    assert told.finding == ""
    assert told.above == ("normal", "covid")
    assert told.conformal == ("normal", "covid", "no covid", "tuberculosis", "no tuberculosis")
