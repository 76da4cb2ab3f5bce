namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Lets one in at a time and turns away whoever comes meanwhile.</summary>
internal sealed class ProfileGate
{
    private int _taken;

    public bool TryEnter() => Interlocked.Exchange(ref _taken, 1) == 0;

    public void Leave() => Volatile.Write(ref _taken, 0);
}
