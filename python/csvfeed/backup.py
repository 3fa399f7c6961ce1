"""Placeholder."""
import keras
class BackupAndRestore(keras.callbacks.Callback):
    pass
