using System.Net;
using System.Text;
using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>[debug]: profiles and traffic are nobody's business but the operator's, so strangers must not reach them unasked.</summary>
internal static class DebugLoader
{
    public static DebugConfig Load(ConfigReader reader)
    {
        Setting<IPEndPoint> listen = reader.Get(DebugKeys.Pprof);
        Setting<Secret> token = reader.Get(DebugKeys.Token);
        bool isGood = token.State == SettingState.Good;
        if (isGood && Encoding.UTF8.GetByteCount(token.Value.Reveal()) < DebugKeys.ShortestToken)
            reader.Report(token.Position, DebugKeys.Token, "this is too short", $"at least {DebugKeys.ShortestToken} bytes");
        if (listen.State == SettingState.Good && !token.IsSet && !IPAddress.IsLoopback(listen.Value.Address))
            Refuse(reader, listen);
        return new DebugConfig(listen.State == SettingState.Good ? listen.Value : null, isGood ? token.Value : null);
    }

    private static void Refuse(ConfigReader reader, Setting<IPEndPoint> listen)
    {
        string what = $"anyone who reaches {listen.Value} could see what the tunnel carries";
        reader.Report(listen.Position, DebugKeys.Pprof, what, "a token, or a loopback address");
    }
}
