import { testSeeds } from './seeds.ts';

testSeeds(1_501, 1_500);
