"""The names of kustomization files: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/"""

import posixpath

KUSTOMIZATION_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def is_kustomization_file(path: str) -> bool:
    return posixpath.basename(path) in KUSTOMIZATION_FILES
