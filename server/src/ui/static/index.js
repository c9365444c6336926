// Fills in the server's address and state.
for (const place of document.querySelectorAll("[data-url]")) place.textContent = location.origin;

const state = document.getElementById("state");
fetch("/v1/health/")
  .then((answer) => answer.json())
  .then((health) => { state.textContent = `Version ${health.version}, status: ${health.status}.`; })
  .catch((error) => { state.textContent = `The server does not answer: ${error.message}`; });
