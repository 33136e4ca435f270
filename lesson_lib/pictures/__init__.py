"""Pictures: the network, what was trained or compared as plots for sliders and as stills, and finished figures."""

from lesson_lib.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "network": "network_diagram",
        "plot": "training_plot MapPlot",
        "bars": "SignaturePlot PruningPlot",
        "stills": "signature_svg pruning_svg",
        "finished": "article_figure image_strip success_curve map_picture",
    },
)
