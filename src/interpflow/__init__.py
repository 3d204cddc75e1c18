"""interpflow: interpretability papers about small transformers, each as one YAML spec."""

__version__ = "0.1.0"
