namespace Tunnel.Ctl.Init;

/// <summary>What init --json prints. Schema 1.</summary>
/// <param name="Server">Where clients find the server.</param>
/// <param name="Link">network.link of both ends.</param>
/// <param name="Socks5">Where the client serves SOCKS5.</param>
/// <param name="Files">What was written: key, server, client.</param>
/// <param name="ServerCommand">To run at the server.</param>
/// <param name="ClientCommand">To run at the client.</param>
/// <param name="Network">How the server is reached from this host.</param>
internal sealed record InitJson(
    string Server, string Link, string Socks5, IReadOnlyList<string> Files, string ServerCommand, string ClientCommand, InitNetwork Network)
{
    public int Schema { get; } = 1;
}
