"""Pictures, one a file: the network, what was trained or compared as plots for sliders, and finished figures."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "network": "network_diagram",
        "training": "training_plot",
        "maps": "MapPlot map_picture",
        "random_starts": "success_curve",
        "signature": "SignaturePlot",
        "signature_still": "signature_svg",
        "pruning": "PruningPlot",
        "pruning_still": "pruning_svg",
        "finished": "article_figure image_strip",
    },
)
