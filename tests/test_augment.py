"""Augmentation as layers: what each does to images, when, and that nothing else plays a part."""

import numpy as np
import pytest
from images import affine_matrix, jittered
from scipy import ndimage

import minigrad as mg
from minigrad import _core, augment, nn

RNG = np.random.default_rng(0)
SHAPES = [(4, 1, 28, 28), (3, 3, 7, 10), (2, 1, 1, 1), (2, 3, 1, 5), (1, 2, 9, 1), (0, 1, 4, 4)]
MODULES = {
    "horizontal": augment.RandomHorizontalFlip(),
    "vertical": augment.RandomVerticalFlip(),
    "crop": augment.RandomCrop(28, padding=3),
    "rotation": augment.RandomRotation(30, fill=0.5),
    "affine": augment.RandomAffine(20, (0.2, 0.1), (0.7, 1.4), (-10, 10, -5, 5)),
    "jitter": augment.ColorJitter(0.4, 0.5, 0.6),
    "erasing": augment.RandomErasing(),
    "noise": augment.RandomErasing(value="random"),
    "geometric": augment.Geometric(
        augment.RandomHorizontalFlip(), augment.RandomAffine(20, (0.2, 0.2)), augment.RandomCrop(28)
    ),
}
each_module = pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)


def images(*shape, dtype=np.float32):
    return mg.tensor(RNG.uniform(0, 1, shape).astype(dtype))


def seeded(module, *inputs, seed=3):
    mg.seed(seed)
    return module(*inputs)


def equal(a, b):
    return np.array_equal(a.numpy(), b.numpy())


# ---- Pixels moved -----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_flips_are_copies(shape, dtype):
    x = images(*shape, dtype=dtype)
    assert equal(augment.RandomHorizontalFlip(1.0)(x), x[:, :, :, ::-1])
    assert equal(augment.RandomVerticalFlip(1.0)(x), x[:, :, ::-1])
    assert augment.RandomHorizontalFlip(0.0)(x) is x


def test_flips_copy_every_bit_pattern():
    x = mg.tensor(np.array([[[[np.nan, np.inf, -0.0, 1e-45, -np.inf]]]], np.float32))
    y = augment.RandomHorizontalFlip(1.0)(x)
    assert y.numpy().tobytes() == x.numpy()[..., ::-1].tobytes()


@pytest.mark.parametrize(
    ("size", "padding", "sides"),
    [
        (6, None, (0, 0, 0, 0)),
        (7, 2, (2, 2, 2, 2)),
        ((3, 9), (1, 2), (1, 2, 1, 2)),
        ((10, 5), (0, 1, 2, 3), (0, 1, 2, 3)),
        ((1, 1), None, (0, 0, 0, 0)),
    ],
)
def test_crops_are_copies_of_every_place(size, padding, sides):
    x = images(1500, 2, 7, 8)
    crop = augment.RandomCrop(size, padding, fill=9.0)
    left, top, right, bottom = sides
    padded = np.pad(
        x.numpy(), [(0, 0), (0, 0), (top, bottom), (left, right)], constant_values=np.float32(9)
    )
    parts = np.lib.stride_tricks.sliding_window_view(padded, crop.size, axis=(2, 3))
    cut = seeded(crop, x).numpy()
    found = (parts == cut[:, :, None, None]).all((1, 4, 5))
    assert found.any((1, 2)).all(), "a crop is no part of its image"
    assert found.any(0).all(), "a place is never cut out"


@pytest.mark.parametrize(("size", "corner"), [((4, 4), (2, 2)), ((5, 3), (2, 2)), (8, None)])
def test_crop_takes_the_middle_in_eval_mode(size, corner):
    x = images(2, 1, 8, 8)
    state = mg.default_generator.get_state()
    y = augment.RandomCrop(size, padding=1).eval()(x)
    assert mg.default_generator.get_state() == state
    if corner is None:
        assert y is x
        return
    top, left = corner
    assert equal(y, x[:, :, top : top + size[0], left : left + size[1]])


def params_of(module, n, height, width, seed=3):
    """The parameters that a module draws next."""
    mg.seed(seed)
    return augment.base.draw(module.ranges(height, width), n).numpy()


@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (3, 3, 9, 14), (2, 1, 1, 1), (2, 2, 33, 1)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 3e-5), ("float64", 1e-11)])
@pytest.mark.parametrize("name", ["rotation", "affine"])
def test_resampling_is_scipys(name, shape, dtype, tolerance):
    module, x = MODULES[name], images(*shape, dtype=dtype)
    theta = affine_matrix(params_of(module, *(shape[i] for i in (0, 2, 3))), None, *shape[2:])
    y = seeded(module, x).numpy()
    for image, done, t in zip(x.numpy(), y, theta, strict=True):
        for plane, got in zip(image.astype(float), done, strict=True):
            want = ndimage.affine_transform(
                plane,
                t[::-1, 1::-1],  # scipy counts rows first
                t[::-1, 2],
                order=1,
                mode="grid-constant",
                cval=module.fill,
            )
            np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)


def test_positive_angles_turn_as_torchvisions():
    x = np.zeros((1, 1, 5, 5), np.float32)
    x[0, 0, 0, 2] = 1  # top
    left = augment.RandomRotation((90, 90))(mg.tensor(x)).numpy()[0, 0]
    right = augment.RandomAffine((90, 90))(mg.tensor(x)).numpy()[0, 0]
    assert left[2, 0] == right[2, 4] == 1


def test_shear_scale_and_shift_go_where_torchvisions_do():
    x = np.zeros((1, 1, 9, 9), np.float32)
    x[0, 0, 2, 4] = 1  # two above the centre
    at = {
        (2, 6): augment.RandomAffine(0, shear=(45, 45)),
        (0, 4): augment.RandomAffine(0, scale=(2, 2)),
        (2, 4): augment.RandomAffine(0, translate=(0, 0)),
    }
    for place, module in at.items():
        assert module(mg.tensor(x)).numpy()[0, 0][place] > 0.99, place


def test_shifts_are_whole_pixels_up_to_the_share():
    x = images(2000, 1, 5, 10)
    theta = augment.RandomAffine(0, translate=(0.3, 0.2)).matrices(2000, 5, 10).numpy()
    shifts = theta[:, :, 2]
    np.testing.assert_array_equal(shifts, np.rint(shifts))
    assert {*shifts[:, 0]} == {-3, -2, -1, 0, 1, 2, 3}
    assert {*shifts[:, 1]} == {-1, 0, 1}
    assert x.shape == augment.RandomAffine(0, translate=(0.3, 0.2))(x).shape


IDENTITIES = [
    augment.RandomAffine(0, (0, 0), (1, 1), 0),
    augment.RandomRotation(0),
    augment.RandomCrop((6, 7)),
    augment.ColorJitter(),
    augment.ColorJitter((1, 1), (1, 1), (1, 1)),
    augment.RandomErasing(0.0),
    augment.Geometric(augment.RandomRotation(0), augment.RandomAffine(0)),
    augment.Geometric(),
]


@pytest.mark.parametrize("module", IDENTITIES, ids=str)
def test_nothing_to_do_changes_nothing(module):
    x = images(4, 3, 6, 7)
    assert equal(module(x), x)


def test_geometric_is_its_modules_with_one_interpolation():
    x = images(6, 1, 20, 20)
    flip, turn = augment.RandomHorizontalFlip(), augment.RandomRotation(40)
    together, apart = augment.Geometric(flip, turn), nn.Sequential(flip, turn)
    np.testing.assert_allclose(seeded(together, x).numpy(), seeded(apart, x).numpy(), atol=1e-5)

    # What is moved out of the image comes back, as there is none in between.
    away, back = (augment.RandomAffine(0, translate=(0.5, 0)) for _ in range(2))
    away.ranges = lambda height, width: augment.base.motion(right=(7, 7))
    back.ranges = lambda height, width: augment.base.motion(right=(-7, -7))
    assert equal(augment.Geometric(away, back)(x), x)
    assert not equal(nn.Sequential(away, back)(x), x)


def test_geometric_follows_sizes():
    flip = augment.RandomVerticalFlip(1.0)
    chain = augment.Geometric(augment.RandomCrop((4, 6), padding=0), flip, fill=2.0)
    x = images(3, 1, 8, 8)
    y = seeded(chain, x)
    assert y.shape == (3, 1, 4, 6)
    crop = seeded(augment.RandomCrop((4, 6)), x)
    assert equal(y, crop[:, :, ::-1])
    assert chain.eval()(x).shape == (3, 1, 4, 6)
    assert chain[:1].fill == 2.0


# ---- Colours, boxes, numbers ------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 3e-6), ("float64", 1e-13)])
def test_colours_are_torchvisions_without_clipping(channels, dtype, tolerance):
    x = images(5, channels, 6, 7, dtype=dtype)
    module = MODULES["jitter"]
    mg.seed(3)
    factors = augment.base.draw([module.brightness, module.contrast, module.saturation], 5).numpy()
    y = seeded(module, x).numpy()
    for image, done, f in zip(x.numpy().astype(float), y, factors, strict=True):
        np.testing.assert_allclose(done, jittered(image, *f), atol=tolerance)
    low, high = np.array([module.brightness, module.contrast, module.saturation]).T
    assert ((factors >= low) & (factors < high)).all()


def boxes_of(y, value):
    """The smallest box of each image that holds its changed pixels, and how many there are."""
    for image in (y == value).all(1):
        rows, columns = image.any(1), image.any(0)
        yield rows.sum(), columns.sum(), image.sum()


def test_erasing_takes_boxes_of_the_right_share_shape_and_number():
    x = images(3000, 2, 32, 24)
    y = augment.RandomErasing(0.3, (0.1, 0.2), (0.5, 2.0), value=7.0)(x).numpy()
    erased = [b for b in boxes_of(y, 7) if b[2]]
    assert abs(len(erased) / 3000 - 0.3) < 0.04
    for height, width, count in erased:
        assert count == height * width, "no box"
        assert 0.1 - 0.03 < count / (32 * 24) < 0.2 + 0.03
        assert 0.5 / 1.2 < height / width < 2 * 1.2
    kept = y != 7
    assert np.array_equal(y[kept], x.numpy()[kept])
    covered = (y == 7).all(1).mean(0)
    assert (covered > 0).all()


def test_erasing_with_a_value_a_channel_and_with_noise():
    x = mg.zeros(500, 3, 16, 16)
    y = augment.RandomErasing(1.0, (0.2, 0.3), value=(1.0, 2.0, 3.0))(x).numpy()
    assert [{*y[:, c].ravel()} for c in range(3)] == [{0, 1}, {0, 2}, {0, 3}]
    noise = augment.RandomErasing(1.0, (0.2, 0.3), value="random")(x).numpy()
    drawn = noise[noise != 0]
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_an_image_too_small_for_a_box_stays():
    x = images(50, 1, 1, 1)
    assert equal(augment.RandomErasing(1.0)(x), x)


def test_normalize_is_there_in_both_modes():
    x = images(2, 3, 4, 4)
    mean, std = np.array([0.1, 0.2, 0.3]), [0.5, 1.0, 2.0]
    want = (x.numpy() - mean[:, None, None]) / np.array(std)[:, None, None]
    module = augment.Normalize(mean, std)
    for mode in (module.train(), module.eval()):
        np.testing.assert_allclose(mode(x).numpy(), want, atol=1e-6)
    assert list(module.state_dict()) == []
    assert module.double()(x.double()).dtype == np.float64


# ---- When, and what it depends on -------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@each_module
def test_eval_mode_is_the_identity_and_draws_nothing(module, shape):
    if shape[1] == 2 and isinstance(module, augment.ColorJitter):
        shape = shape[0], 3, *shape[2:]
    crops = isinstance(module, augment.RandomCrop | augment.Geometric)
    x = images(*shape[:2], 28, 28) if crops else images(*shape)
    state = mg.default_generator.get_state()
    module.eval()
    y = module(x)
    module.train()
    assert y is x
    assert mg.default_generator.get_state() == state
    z = seeded(module, x)
    assert z.shape == x.shape
    assert z.dtype == x.dtype
    assert np.isfinite(z.numpy()).all()


@each_module
def test_an_image_does_not_depend_on_the_batch(module):
    x = images(20, 1, 28, 28)
    whole = seeded(module, x)
    assert not equal(whole, x)
    assert equal(seeded(module, x[:7]), whole[:7])
    assert not equal(seeded(module, x, seed=4), whole)
    assert not equal(module(x), whole), "the next step is the same as the one before"


@each_module
def test_images_are_drawn_apart(module):
    x = images(1, 1, 28, 28).expand(64, 1, 28, 28)
    different = {image.tobytes() for image in seeded(module, x).numpy()}
    flips = isinstance(module, augment.RandomHorizontalFlip | augment.RandomVerticalFlip)
    assert len(different) == 2 if flips else len(different) > 20


@each_module
def test_a_plan_and_threads_change_no_bit(module):
    x, before = images(96, 3, 28, 28), mg.get_num_threads()
    mg.seed(5)
    want = [module(x).numpy() for _ in range(3)]
    try:
        for threads in (1, 2, 3):
            mg.set_num_threads(threads)
            compiled = mg.compile(lambda x: module(x))
            mg.seed(5)
            for w in want:
                assert np.array_equal(compiled(x).numpy(), w)
            assert len(compiled.plans) == 1
    finally:
        mg.set_num_threads(before)


@each_module
def test_gradient_reaches_the_images(module):
    x, v = images(4, 1, 28, 28, dtype="float64"), images(4, 1, 28, 28, dtype="float64")
    g = images(4, 1, 28, 28, dtype="float64")
    x.requires_grad = True
    seeded(module, x).backward(g)
    change = seeded(module, x.detach() + v) - seeded(module, x.detach())  # linear but for a fill
    np.testing.assert_allclose((x.grad * v).sum().item(), (change * g).sum().item(), rtol=1e-9)


def test_strided_images():
    x = images(28, 28, 5, 1)
    for module in MODULES.values():
        turned = x.permute(2, 3, 0, 1)
        assert equal(seeded(module, turned), seeded(module, turned.contiguous()))


# ---- Refusals ---------------------------------------------------------------------------------

X = images(2, 3, 8, 8)
WRONG = {
    "p must be in": lambda: augment.RandomHorizontalFlip(1.5),
    r"p must be in \[0.0, 1.0\], got -0.1": lambda: augment.RandomErasing(-0.1),
    "degrees must be in": lambda: augment.RandomRotation(-5),
    r"degrees must be two numbers \(low, high\)": lambda: augment.RandomRotation((5, -5)),
    "degrees must be finite": lambda: augment.RandomRotation(float("nan")),
    "scale must be in": lambda: augment.RandomAffine(0, scale=(-1, 1)),
    r"scale must be in \(0.0": lambda: augment.RandomAffine(0, scale=(0, 1)),
    "scale must be two numbers, got 2": lambda: augment.RandomAffine(0, scale=2),
    r"translate must be in \[0.0, 1.0\], got 2": lambda: augment.RandomAffine(0, (2, 0)),
    "translate must be two shares": lambda: augment.RandomAffine(0, (0.1, 0.1, 0.1)),
    "shear must be one, two or four": lambda: augment.RandomAffine(0, shear=(1, 2, 3)),
    "brightness must be in": lambda: augment.ColorJitter(-0.1),
    r"contrast must be two numbers \(low, high\)": lambda: augment.ColorJitter(contrast=(2, 1)),
    "size must be at least 1": lambda: augment.RandomCrop(0),
    "padding must be one, two or four": lambda: augment.RandomCrop(3, padding=(1, 2, 3)),
    "padding must be at least 0": lambda: augment.RandomCrop(3, padding=-1),
    "a part of 11 x 9 does not fit into images of 8 x 8": lambda: augment.RandomCrop((11, 9), 1)(X),
    r"shape \(N, C, H, W\), got \(2, 192\)": lambda: augment.RandomRotation(5)(X.reshape(2, -1)),
    "takes float images, got int64": lambda: augment.RandomErasing()(X.long()),
    r"floats of shape \(N, 1, H, W\) or": lambda: augment.ColorJitter(0.1)(X[:, :2]),
    "value has 2 numbers, the images have 3": lambda: augment.RandomErasing(1, value=(1, 2))(X),
    "value must be one of 'random'": lambda: augment.RandomErasing(value="noise"),
    "mean has 2 numbers, the images have 3": lambda: augment.Normalize([0, 0], 1)(X),
    "std must be in": lambda: augment.Normalize(0, 0),
    "ReLU does not move pixels": lambda: augment.Geometric(nn.ReLU()),
    "alpha must be in": lambda: augment.MixUp(0),
    "num_classes must be at least 2": lambda: augment.MixUp(1, 1),
    "give num_classes": lambda: augment.MixUp()(X, mg.tensor([0, 1])),
    "do not have the same rows": lambda: augment.MixUp()(X, mg.ones(3)),
    "theta has no gradient": lambda: (
        _core.resample(X, mg.zeros(2, 2, 3, dtype="float64", requires_grad=True), 8, 8).sum()
    ).backward(),
    "leaves an image of 8 x 8": lambda: _core.paste(X, X, mg.tensor([[0, 0, 9, 1], [0, 0, 0, 0]])),
    "does not repeat": lambda: _core.paste(X, mg.ones(2, 1, 1), mg.tensor([[0, 0, 0, 0]] * 2)),
}


@pytest.mark.parametrize("message", WRONG)
def test_refusals(message):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        WRONG[message]()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_positions_that_are_no_numbers_are_outside(value):
    theta = np.full((2, 2, 3), value)
    y = _core.resample(X, mg.tensor(theta), 4, 4, fill=3.0).numpy()
    assert (y[np.isfinite(y)] >= 0).all()
