// The line of a wipe: an invisible range input lies over the pictures and brings pointer, touch and
// keyboard; where it stands is one CSS variable.

export default function ({ data, parentElement }) {
  const find = (name) => parentElement.querySelector(name);
  const [wipe, input] = [find(".wipe"), find("input")];
  const pictures = { ".over": data.left, ".under": data.right };
  for (const [name, url] of Object.entries(pictures)) {
    if (find(name).src !== url) find(name).src = url;
  }
  [".left", ".right"].forEach((name, i) => {
    find(name).textContent = data.names[i];
    find(name).style.background = data.colours[i];
  });
  wipe.style.setProperty("--ratio", data.ratio);
  const move = () => wipe.style.setProperty("--at", `${input.value}%`);
  input.oninput = move;
  input.onkeydown = (event) => event.stopPropagation(); // the page's own arrow keys walk the photos
  // The thumb of a range input jumps to where it is pressed; so does the line.
  move();
}
