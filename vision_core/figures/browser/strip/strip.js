// A film strip of pictures: one is large, the others small below it; arrow keys walk along.

class Strip {
  constructor(root) {
    this.box = root.querySelector(".strip");
    this.find = (name) => root.querySelector(name);
    this.at = 0;
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.strip = this; // the tests read what is shown here
  }

  // data: {items: [{title, note, url}]}
  update(data) {
    this.items = data.items;
    this.buttons = data.items.map(({ title, url }, i) => {
      const [button, image] = [document.createElement("button"), document.createElement("img")];
      [image.src, image.alt] = [url, ""];
      button.append(image, title);
      button.addEventListener("click", () => this.go(i));
      return button;
    });
    this.find(".row").replaceChildren(...this.buttons);
    this.go(Math.min(this.at, data.items.length - 1));
  }

  go(index) {
    this.at = index;
    const { title, note, url } = this.items[index];
    const image = this.find("figure img");
    [image.src, image.alt] = [url, `${title} ${note}`.trim()];
    this.find("figcaption b").textContent = title;
    this.find("figcaption span").textContent = note;
    this.find(".say").textContent = `${index + 1} of ${this.items.length}: ${title}`;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === index));
    const [row, button] = [this.find(".row"), this.buttons[index]];
    row.scrollLeft = button.offsetLeft - (row.clientWidth - button.clientWidth) / 2;
  }

  key(event) {
    const last = this.items.length - 1;
    const to = { ArrowRight: this.at + 1, ArrowLeft: this.at - 1, Home: 0, End: last }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.go(Math.max(0, Math.min(to, last)));
  }
}

const STRIPS = new WeakMap();

export default function ({ data, parentElement }) {
  let strip = STRIPS.get(parentElement);
  if (!strip) {
    strip = new Strip(parentElement);
    STRIPS.set(parentElement, strip);
  }
  strip.update(data);
  return () => {};
}
