// The script of a saved strip of maps.

import strip from "../strip/strip.js";
import { start } from "./host.js";

start({ strip });
