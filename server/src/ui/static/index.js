// Fills in the server's address and state.
for (const place of document.querySelectorAll("[data-url]")) place.textContent = location.origin;

const state = document.getElementById("state");
fetch("/v1/health/")
  .then((answer) => answer.json())
  .then((health) => { state.textContent = `Version ${health.version}, status: ${health.status}.`; })
  .catch((error) => { state.textContent = `The server does not answer: ${error.message}`; });

// The examples name a model that is really here. Behind a password the list is refused, and the example stays.
fetch("/v1/models/")
  .then((answer) => (answer.ok ? answer.json() : []))
  .then((models) => {
    if (models.length === 0) return;
    for (const place of document.querySelectorAll("[data-model]")) place.textContent = models[0].handle;
  })
  .catch(() => {});
