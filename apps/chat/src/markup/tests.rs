mod hostile;
mod mentions;
