// The script of a saved walkthrough.

import player from "../player/player.js";
import { start } from "./host.js";

start({ player });
