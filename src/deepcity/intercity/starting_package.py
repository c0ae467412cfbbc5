"""The layer package that a service starts from, where its map says so."""

from deepcity.city.errors import LayerPackageError
from deepcity.city.level import Layers, layers_up_to
from deepcity.maps.city_map import CityMap, Service
from deepcity.store.packages.layer_package import load_package
from deepcity.store.packages.manifest import Manifest


def starting_package(city_map: CityMap, service: Service) -> tuple[Layers, Manifest | None]:
    """The layers a service starts from, and their package's manifest; neither without one.

    The package lies beside the map file. Its name, which the map holds, is a hash of its content.

    Raises:
        LayerPackageError: if it cannot be trusted, or lacks layers.
    """
    reuse = service.settings.reuse
    if reuse is None:
        return {}, None
    package = load_package(city_map.path.parent / reuse.package)
    wanted = layers_up_to(reuse.level)
    missing = [name for name in wanted if name not in package.layers]
    if missing:
        msg = (
            f"{service.settings.name} reuses level {reuse.level}, but {package.path} lacks "
            f"{', '.join(missing)}; it has {', '.join(package.layers)}. Lower reuse.level"
        )
        raise LayerPackageError(msg)
    return {name: package.layers[name] for name in wanted}, package.manifest
