using System.Net;
using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>A client's file.</summary>
internal static class ClientLoader
{
    private const string KcptunHasOneTarget = "transport.profile = \"kcptun\" has one target for all streams, so it cannot serve SOCKS5";

    private static readonly string[] ServiceTables = ["socks5", "forward", "reverse"];

    public static ClientConfig Load(ConfigReader reader)
    {
        Setting<TransportProfile> profile = reader.Get(TransportKeys.Profile);
        bool isKcptun = profile.Value == TransportProfile.Kcptun;
        var taken = new HashSet<(ForwardProtocol, IPEndPoint)>();
        Socks5Config[] socks5 = [.. reader.GetTables("socks5").Select(table => LoadSocks5(reader, table, isKcptun, taken))];
        ForwardConfig[] forward = [.. reader.GetTables("forward").Select(table => LoadForward(reader, table, profile, taken))];
        var takenThere = new HashSet<(ForwardProtocol, IPEndPoint)>();
        ReverseConfig[] reverse = [.. reader.GetTables("reverse").Select(table => LoadReverse(reader, table, isKcptun, takenThere))];
        RequireListener(reader, isKcptun);
        RemoteServerConfig[] servers = RemoteServerLoader.Load(reader);
        (NetworkConfig network, TransportConfig transport, LogConfig log) = TransportLoader.Load(reader, profile);
        return new ClientConfig
        {
            Servers = servers,
            Socks5 = socks5,
            Forward = forward,
            Reverse = reverse,
            Listeners = LoadListeners(reader),
            Udp = UdpLoader.Load(reader),
            Network = network,
            Transport = transport,
            Log = log,
            Otlp = OtlpLoader.Load(reader),
            Debug = DebugLoader.Load(reader),
        };
    }

    /// <summary>[listeners], which servers have as well.</summary>
    public static ListenersConfig LoadListeners(ConfigReader reader) => new(
        reader.Get(ServiceKeys.Backlog).Value,
        reader.Get(ServiceKeys.Acceptors).Value,
        reader.Get(ServiceKeys.MaxConnections).Value);

    private static void RequireListener(ConfigReader reader, bool isKcptun)
    {
        // Present but wrong is not missing: that has been reported already.
        if (ServiceTables.Any(name => reader.Root.TryGet(name, out _)))
            return;

        string allowed = isKcptun ? "[[forward]]" : "[[socks5]], [[forward]] or [[reverse]]";
        reader.ReportMissing(TomlPosition.Start, "", "the client has nothing to listen on", allowed);
    }

    private static Socks5Config LoadSocks5(ConfigReader reader, TomlTable table, bool isKcptun, HashSet<(ForwardProtocol, IPEndPoint)> taken)
    {
        if (isKcptun)
            reader.Report(table.Position, "[[socks5]]", KcptunHasOneTarget, "[[forward]]");

        Setting<IPEndPoint> listen = LoadListen(reader, EndKeys.Socks5Listen, table, ForwardProtocol.Tcp, taken);
        Setting<Secret> username = reader.Get(EndKeys.Socks5Username, table);
        Setting<Secret> password = reader.Get(EndKeys.Socks5Password, table);
        if (username.IsSet && !password.IsSet)
            reader.ReportMissing(table.Position, EndKeys.Socks5Password.FullName, "there is a username and no password", "both or neither");
        if (password.IsSet && !username.IsSet)
            reader.ReportMissing(table.Position, EndKeys.Socks5Username.FullName, "there is a password and no username", "both or neither");
        if (!username.IsSet && !password.IsSet)
            RequireClosedDoor(reader, listen, reader.Get(EndKeys.Socks5Anyone, table));
        return new Socks5Config(listen.Value, username.IsSet ? new Socks5Credentials(username.Value, password.Value) : null);
    }

    /// <summary>An open proxy is found by strangers within hours; somebody must have meant it.</summary>
    private static void RequireClosedDoor(ConfigReader reader, Setting<IPEndPoint> listen, Setting<bool> anyone)
    {
        if (listen.State != SettingState.Good || IPAddress.IsLoopback(listen.Value.Address) || anyone.Value || !anyone.IsSound)
            return;

        string what = $"anyone who reaches {listen.Value} could use this proxy";
        reader.Report(listen.Position, EndKeys.Socks5Listen, what, "username and password, or anyone = true, or a loopback address");
    }

    private static ForwardConfig LoadForward(
        ConfigReader reader,
        TomlTable table,
        Setting<TransportProfile> profile,
        HashSet<(ForwardProtocol, IPEndPoint)> taken)
    {
        Setting<ForwardProtocol> protocol = reader.Get(EndKeys.ForwardProtocol, table);
        if (protocol.Value == ForwardProtocol.Udp && profile.Value == TransportProfile.Kcptun)
            reader.Report(protocol.Position, EndKeys.ForwardProtocol, "transport.profile = \"kcptun\" carries no datagrams", "\"tcp\"");
        IPEndPoint listen = LoadListen(reader, EndKeys.ForwardListen, table, protocol.Value, taken).Value;
        HostPort? target = TargetLoader.Load(reader, EndKeys.ForwardTarget, table, profile, isForKcptun: false);
        return new ForwardConfig(listen, target, protocol.Value);
    }

    private static ReverseConfig LoadReverse(
        ConfigReader reader, TomlTable table, bool isKcptun, HashSet<(ForwardProtocol, IPEndPoint)> taken)
    {
        if (isKcptun)
            reader.Report(table.Position, "[[reverse]]", "transport.profile = \"kcptun\" knows no reverse forwards", "[[forward]]");
        ForwardProtocol protocol = reader.Get(EndKeys.ReverseProtocol, table).Value;
        Setting<IPEndPoint> listen = LoadListen(reader, EndKeys.ReverseListen, table, protocol, taken);
        return new ReverseConfig(listen.Value, reader.Require(EndKeys.ReverseTarget, table).Value, protocol);
    }

    private static Setting<IPEndPoint> LoadListen(
        ConfigReader reader,
        ConfigKey<IPEndPoint> key,
        TomlTable table,
        ForwardProtocol protocol,
        HashSet<(ForwardProtocol, IPEndPoint)> taken)
    {
        Setting<IPEndPoint> listen = reader.Require(key, table);

        // Port 0 is another port each time.
        if (listen.State == SettingState.Good && listen.Value.Port != 0 && !taken.Add((protocol, listen.Value)))
            reader.Report(listen.Position, key, $"another listener has {listen.Value}", "an address and port of its own");
        return listen;
    }
}
