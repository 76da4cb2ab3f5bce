using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>[udp].</summary>
internal static class UdpLoader
{
    public static UdpConfig Load(ConfigReader reader)
    {
        Setting<TimeSpan> idle = reader.Get(UdpKeys.Idle);
        Setting<TimeSpan> answered = reader.Get(UdpKeys.AnsweredIdle);
        // Whoever sets the one is not told off for the other's default.
        if (answered.State == SettingState.Good && idle.IsSound && answered.Value > idle.Value)
            reader.Report(answered.Position, UdpKeys.AnsweredIdle, "this is longer than idle", "at most idle");
        return new UdpConfig(
            idle.Value,
            answered.Value < idle.Value ? answered.Value : idle.Value,
            reader.Get(UdpKeys.MaxFlows).Value,
            reader.Get(UdpKeys.MaxAssociations).Value);
    }
}
