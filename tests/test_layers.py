"""Who may import whom."""

from __future__ import annotations

import ast
import functools
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PLUGINS = tuple(f"avax.{k}" for k in ("tasks", "curricula", "verifiers", "learners", "probes"))
NOUNS = {
    f"avax.{name}" for name in "fields struct types vocab requirements checks optional".split()
}
# From the ground up; a package stands for all that is in it. Whoever stands higher may import what
# stands lower, and what stands beside it.
FLOORS = [
    {*NOUNS, "avax.results"},
    {"avax.models", "avax.analysis"},
    {"avax.policies", "avax.plotting"},
    {*PLUGINS, "avax.faults", "avax.metrics", "avax.source"},
    {"avax.loop"},
    {"avax.sweeps"},
    {"avax.engine"},
    {"avax.cli", "avax.bench", "configs"},
    {"avax.__main__", "experiments", "paper_figures"},
]
JAX = {"jax", "jaxlib", "flax", "optax", "orbax", "chex"}
LIGHT = (
    "avax.results",
    "avax.plotting",
    "avax.analysis",
    "paper_figures",
)  # import no JAX


def name_of(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    name_of(path): path
    for folder in ("avax", "configs", "experiments", "paper_figures")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
REGISTRIES = {name for name in FILES if name in PLUGINS}


def below(name: str, *packages: str) -> bool:
    return any(name == p or name.startswith(p + ".") for p in packages)


@functools.cache
def imports(module: str) -> frozenset[str]:
    """What a file imports, anywhere in it, but for what only its annotations need."""
    found, tree = set(), ast.parse(FILES[module].read_text())
    guards = [
        n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)
    ]
    unseen = {id(node) for guard in guards for node in ast.walk(guard)}
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            full = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else node.module for name in full.values()}
    return frozenset(found)


def reached(module: str) -> set[str]:
    """What importing a module imports in the end, packages on the way included."""
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [name.rpartition(".")[0]] if "." in name else []
            todo += imports(name) if name in FILES else []
    return seen


def floor_of(module: str) -> int:
    """Where a file stands; the package itself, which holds its version, is on the ground."""
    (found,) = [i for i, floor in enumerate(FLOORS) if below(module, *floor)] or [0]
    return found


def test_every_file_has_its_floor():
    loose = {m for m in FILES if not any(below(m, *floor) for floor in FLOORS)}
    assert loose == {"avax"}


@pytest.mark.parametrize("module", FILES)
def test_imports_go_down(module):
    ours = {m for m in imports(module) if m in FILES}
    assert {m for m in ours if floor_of(m) > floor_of(module)} == set()


def test_no_file_imports_itself_in_the_end():
    for module in FILES:
        seen, todo = set(), list(imports(module) & set(FILES))
        while todo:
            name = todo.pop()
            assert name != module, f"{module} is in a circle with one of {sorted(seen)}"
            if name not in seen:
                seen.add(name)
                todo += imports(name) & set(FILES)


def test_all_packages_are_seen():
    assert {"avax.loop", "avax.engine.tiles", *PLUGINS, *LIGHT} <= set(FILES)
    assert {"jax", "optax", "orbax.checkpoint"} <= reached("avax.engine.run")


@pytest.mark.parametrize("module", [m for m in FILES if below(m, *PLUGINS) and m not in PLUGINS])
def test_plugins_import_nouns_and_their_own_helpers(module):
    folder = module.rpartition(".")[0]
    helpers = {m for m in FILES if below(m, folder)} - REGISTRIES - imports(folder)
    ours = {name for name in imports(module) if below(name, "avax", *LIGHT, "configs")}
    lower = ("avax.models", "avax.policies", *NOUNS)
    assert {m for m in ours - helpers if not below(m, *lower)} == set()


@pytest.mark.parametrize("folder", PLUGINS)
def test_registries_import_their_own_plugins(folder):
    assert all(below(name, folder, "__future__") for name in imports(folder))


def test_loop_knows_no_plugin_and_no_engine():
    assert not [m for m in reached("avax.loop") if below(m, *PLUGINS, "avax.engine")]


@pytest.mark.parametrize("module", [m for m in FILES if below(m, *LIGHT)])
def test_results_and_figures_need_no_jax(module):
    assert {name.split(".")[0] for name in reached(module)} & JAX == set()


def test_only_checkpoint_imports_orbax():
    users = [m for m in FILES if any(below(name, "orbax") for name in imports(m))]
    assert users == ["avax.engine.durable.checkpoint"]


@pytest.mark.parametrize(
    "package, user", [("ray", "avax.engine.cluster.ray"), ("matplotlib", "avax.plotting")]
)
def test_one_place_imports_what_a_start_does_not_need(package, user):
    users = [m for m in FILES if any(below(name, package) for name in imports(m))]
    assert users and all(below(m, user) for m in users)


def test_a_start_does_not_import_what_it_does_not_need():
    code = "import sys, avax.cli.script, paper_figures.fig_noise_phase_diagram\n"
    code += "sys.exit(bool({'ray', 'matplotlib'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=300)


def test_nothing_imports_experiments():
    assert not [m for m in FILES if any(below(name, "experiments") for name in imports(m))]


def test_no_jax_at_run_time():
    modules = (
        "avax.results avax.results.store avax.plotting avax.analysis.phase avax.analysis.theory"
    )
    code = "import sys, {}\nsys.exit('jax' in sys.modules)".format(
        ", ".join([*modules.split(), "paper_figures.fig_noise_phase_diagram"])
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=300)
