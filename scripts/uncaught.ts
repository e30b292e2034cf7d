// For a program's entry point: an error that nothing caught is told in its own words; KEYWAY_DEBUG=1 says where it arose.
process.on("uncaughtException", (error) => {
  console.error(`keyway: ${process.env.KEYWAY_DEBUG ? error.stack : error.message}`);
  process.exit(1);
});
