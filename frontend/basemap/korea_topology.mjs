// GeoJSON on standard input to a small TopoJSON: borders shared, corners and islets left out.
import { readFileSync } from "node:fs";
import { quantize } from "topojson-client";
import { topology } from "topojson-server";
import { filter, filterWeight, presimplify, simplify } from "topojson-simplify";

const LEAST_CORNER = 1.5e-5; // square degrees: about 15 ha
const LEAST_ISLET = 3e-5; // about 30 ha

const districts = JSON.parse(readFileSync(0, "utf8"));
let found = presimplify(topology({ districts }, 1e6));
found = simplify(found, LEAST_CORNER);
found = filter(found, filterWeight(found, LEAST_ISLET));
process.stdout.write(JSON.stringify(quantize(found, 1e5)));
