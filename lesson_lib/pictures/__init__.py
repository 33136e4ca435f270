"""Pictures: the network, and plots of what was trained or compared."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "plot": "map_picture success_curve",
        "finished": "article_figure image_strip",
        "network": "network_diagram",
    },
)
