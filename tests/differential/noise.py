"""Code around the program that has nothing to do with its layer, as real files have."""

from tests.differential.writer import Writer


def surroundings(w: Writer) -> str:
    """Module-level text to stand between the imports and the program: perhaps a device, helpers, other classes."""
    parts = [_device(w)] if w.device else []
    for piece in _pieces(w):
        if w.chance(0.06):
            parts.append(piece)
    return "\n\n".join(parts)


def _device(w: Writer) -> str:
    torch = w.torch
    return w.pick(
        f'device = {torch}.device("cuda" if {torch}.cuda.is_available() else "cpu")',
        f'device = {torch}.device("cuda:0" if {torch}.cuda.is_available() else "cpu")',
        f'device = "cuda" if {torch}.cuda.is_available() else "cpu"',
        'device = "cpu"',
    )


def _pieces(w: Writer) -> list[str]:
    torch, nn = w.torch, w.nn
    return [
        f"{torch}.manual_seed({w.pick(0, 1, 42, 1234)})",
        "def count_parameters(module):\n    return sum(p.numel() for p in module.parameters() if p.requires_grad)",
        f"class Attention({nn}.Module):\n"
        "    def __init__(self, dim):\n"
        "        super().__init__()\n"
        f"        self.score = {nn}.Linear(dim, 1)\n\n"
        "    def forward(self, states):\n"
        f"        weights = {torch}.softmax(self.score(states), dim=1)\n"
        "        return (weights * states).sum(1)",
        f"class Conv({nn}.Module):\n"
        "    def __init__(self, channels, hidden_size=16):\n"
        "        super().__init__()\n"
        f"        self.net = {nn}.Sequential({nn}.Conv1d(channels, hidden_size, 3, padding=1), {nn}.ReLU())\n\n"
        "    def forward(self, x):\n"
        "        return self.net(x.transpose(1, 2)).transpose(1, 2)",
        "def repackage(h):\n"
        '    """Detaches a state from its history."""\n'
        f"    if isinstance(h, {torch}.Tensor):\n        return h.detach()\n"
        "    return tuple(repackage(v) for v in h)",
        'LEARNING_RATE = 1e-3\nEPOCHS = 10\nLOG = f"lr={LEARNING_RATE:.0e}"',
        "try:\n    import tqdm\nexcept ImportError:\n    tqdm = None",
        "# Hyper-parameters are those of the paper, num_layers=2 there.",
        f"def accuracy(logits, target):\n    with {torch}.no_grad():\n"
        "        return (logits.argmax(-1) == target).float().mean().item()",
    ]
