using System.Net;

namespace Tunnel.App.Config;

/// <summary>Where the process shows itself.</summary>
/// <param name="Listen">The address of the HTTP server; null: there is none.</param>
/// <param name="Token">What visitors must present; null: nothing. There is one unless the address is loopback.</param>
public sealed record DebugConfig(IPEndPoint? Listen, Secret? Token);
