/** Loads what most runs never need when it is first asked for: a command starts sooner, and each thread is smaller. */

export function lazily<Value>(load: () => Value): () => Value {
  let loaded: { readonly value: Value } | null = null;
  return () => {
    loaded ??= { value: load() };
    return loaded.value;
  };
}
