namespace Tunnel.Tests.Check;

/// <summary>Files of either end in a fixture's folder.</summary>
internal static class ConfigFiles
{
    public static string Server(FixtureHost host, string more = "", int ports = 1) =>
        Write(host, $"[listen]\nport = 9999\nports = {ports}\n[transport.kcp]\nkey = \"k\"\n{more}");

    public static string Client(FixtureHost host, string more = "", string server = "192.0.2.1:9999") =>
        Write(host, $"[server]\naddress = \"{server}\"\n[[socks5]]\nlisten = \"127.0.0.1:1080\"\n[transport.kcp]\nkey = \"k\"\n{more}");

    public static string Write(FixtureHost host, string text)
    {
        host.Write("/tunnel.toml", text);
        string path = host.PathOf("/tunnel.toml");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
