"""interpflow: interpretability papers about small transformers, each as one YAML spec."""
