// What the component is made from: the exported interface. The work is done in src/.
import { run } from './src/program.js';

export const interpreter = { run };
