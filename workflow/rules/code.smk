"""Which modules a job runs: its inputs, so that an edit reruns what depends on it, and no more."""

import ast


def code(command: str) -> list[str]:
    """List the modules that a command imports, itself included.

    They are inputs of its rule, compared by content. The settings' own modules are left out:
    settings reach a command by value, as parameters.
    """
    return modules(f"cxrpipe.{command}")


def own_code(wildcards) -> list[str]:
    """List the modules of a user's own architecture, where they lie in the working folder."""
    place, colon, _ = RECIPE.models[wildcards.model].architecture.partition(":")
    return modules(place) if colon else []


def modules(name: str) -> list[str]:
    """List a module and all that it imports and that lies here, by walking the imports."""
    found, waiting = set(), [name]
    while waiting:
        path = Path(*waiting.pop().split(".")).with_suffix(".py")
        source = Path(workflow.basedir, path)
        if (
            path in found
            or not source.is_file()
            or path.name in ("__init__.py", "catalogue.py")
        ):
            continue
        found.add(path)
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [
                    node.module,
                    *(f"{node.module}.{name.name}" for name in node.names),
                ]
    return sorted(str(path) for path in found)


def drawing_code(wildcards) -> list[str]:
    """List the modules that draw a phantom; what is fetched depends on its origin alone."""
    return (
        code("data.phantoms.phantom")
        if SOURCES[wildcards.source].origin.phantom
        else []
    )
