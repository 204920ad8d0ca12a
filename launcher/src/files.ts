export { readIfThere, writeWhole } from '@rushlight/setup';
