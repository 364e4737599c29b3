// Streamlit sends a component's script again with every update. So this one is short: the picture's
// own code comes as data, once, and is kept.

const CODE = (globalThis.convscopeCode ??= new Map()); // modules by the hash of their text

export default function (component) {
  const { id, text } = component.data.code;
  if (text && !CODE.has(id)) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    CODE.set(id, import(url).finally(() => URL.revokeObjectURL(url)));
  }
  const held = CODE.get(id);
  if (!held) component.setTriggerValue("missing", id);
  const shown = held?.then((code) => code.default(component));
  return () => shown?.then((stop) => stop());
}
