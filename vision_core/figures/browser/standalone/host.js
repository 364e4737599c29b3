// What stands in for the app in a saved page: it puts each part into a shadow root of its own, with
// the data that lie in the page, and answers what a part asks.

// components: what a part's script exports, by name; answers: by name, (what, value, data) to new
// data, or nothing where the part needs no answer.
export function start(components, answers = {}) {
  const parts = JSON.parse(document.getElementById("data").textContent);
  document.querySelectorAll("[data-part]").forEach((place, i) => {
    const name = place.dataset.part;
    const root = place.attachShadow({ mode: "open" });
    root.append(document.getElementById(name).content.cloneNode(true));
    let data = parts[i];
    const show = () => components[name]({ data, parentElement: root, setTriggerValue: hear });
    const hear = (what, value) => {
      const next = answers[name]?.(what, value, data);
      if (!next) return;
      data = next;
      show();
    };
    show();
  });
}
