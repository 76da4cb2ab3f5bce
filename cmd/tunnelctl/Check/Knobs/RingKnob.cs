using System.Globalization;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>The card's rings, written as ethtool -G takes them: "rx 512 tx 512".</summary>
internal sealed class RingKnob : Knob
{
    public override string Name => "nic.rings";

    public override string Why => "where packets wait for the processor; a full receiving ring loses what comes";

    public override Reading Read(CheckContext context)
    {
        if (context.Nic is not { } nic)
            return new Reading(null, context.NoInterface);
        NicAnswer<NicRings> answer = nic.Rings();
        return answer.Value is { } rings ? new Reading($"rx {rings.Rx} tx {rings.Tx}", null) : new Reading(null, $"{context.Interface}: {answer.Problem}");
    }

    public override Judgement Judge(CheckContext context, Reading now)
    {
        if (!TryParse(now, out uint rx, out uint tx) || context.Nic?.Rings().Value is not { } rings)
            return Judgement.Unknown(now.Problem ?? "the driver does not tell");
        string most = $"rx {Math.Max(rx, rings.MaxRx)} tx {Math.Max(tx, rings.MaxTx)}";
        return new Judgement(rx >= rings.MaxRx && tx >= rings.MaxTx, most, most);
    }

    public override string Command(CheckContext context, string value) => $"ethtool -G {context.Interface} {value}";

    public override string? Write(CheckContext context, string value) =>
        !TryParse(new Reading(value, null), out uint rx, out uint tx) ? $"\"{value}\" are no rings"
        : context.Nic is { } nic ? nic.SetRings(rx, tx)
        : context.NoInterface;

    private static bool TryParse(Reading reading, out uint rx, out uint tx)
    {
        rx = tx = 0;
        return reading.Words is ["rx", var first, "tx", var second]
            && uint.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out rx)
            && uint.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out tx);
    }
}
