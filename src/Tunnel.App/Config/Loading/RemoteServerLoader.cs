using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>[server], or every [[server]].</summary>
internal static class RemoteServerLoader
{
    public static RemoteServerConfig[] Load(ConfigReader reader)
    {
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        TomlTable[] tables = [.. reader.GetTablesOrOne("server")];
        // Present but wrong is not missing: that has been reported already.
        if (tables.Length == 0 && !reader.Root.TryGet("server", out _))
            reader.Require(EndKeys.ServerAddress);
        return [.. tables.Select(table => LoadOne(reader, table, taken))];
    }

    private static RemoteServerConfig LoadOne(ConfigReader reader, TomlTable table, HashSet<string> taken)
    {
        Setting<string> srv = reader.Get(EndKeys.ServerSrv, table);
        Setting<HostPort> address = srv.IsSet ? reader.Get(EndKeys.ServerAddress, table) : reader.Require(EndKeys.ServerAddress, table);
        Setting<int> ports = reader.Get(EndKeys.ServerPorts, table);
        if (srv.IsSet && address.IsSet)
            reader.Report(srv.Position, EndKeys.ServerSrv, "there is an address, too", "one of address and srv");
        if (address.State == SettingState.Good)
            PortRange.Check(reader, EndKeys.ServerPorts, ports, address.Value.Port);
        string? name = address.Value?.ToString() ?? srv.Value;
        if (name is not null && !taken.Add(name))
            reader.Report(address.IsSet ? address.Position : srv.Position, "server", $"there is another [[server]] {BasicTypes.Quote(name)}", "each once");
        return new RemoteServerConfig(
            address.Value, srv.Value, reader.Get(EndKeys.ServerWeight, table).Value, reader.Get(EndKeys.ServerPriority, table).Value, ports.Value);
    }
}
