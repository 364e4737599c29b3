// The script of a saved prediction: the live picture, and NMS step by step.

import canvas from "../canvas/view.js";
import replay from "../replay/replay.js";
import { start } from "./host.js";
import { answer } from "./selecting.js";

start({ canvas, replay }, { canvas: answer });
