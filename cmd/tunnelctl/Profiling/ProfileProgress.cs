namespace Tunnel.Ctl.Profiling;

/// <summary>Says on standard error how far a recording is: each second on a terminal, else once.</summary>
internal sealed class ProfileProgress : IDisposable
{
    private readonly string _what;
    private readonly int _seconds;
    private readonly long _start = Environment.TickCount64;
    private readonly Lock _lock = new();
    private readonly Timer? _timer;
    private int _width;
    private bool _ended;

    public ProfileProgress(string what, TimeSpan duration)
    {
        (_what, _seconds) = (what, (int)duration.TotalSeconds);
        if (Console.IsErrorRedirected)
            Console.Error.WriteLine($"recording {what} for {_seconds} s");
        else
            _timer = new Timer(_ => Show(), null, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    public void Dispose()
    {
        _timer?.Dispose();
        lock (_lock)
        {
            _ended = true;
            if (_width != 0)
                Console.Error.Write($"\r{new string(' ', _width)}\r");
        }
    }

    private void Show()
    {
        long passed = (Environment.TickCount64 - _start) / 1000;
        string text = passed < _seconds ? $"recording {_what}: {passed} of {_seconds} s" : $"recording {_what}: collecting names of methods";
        lock (_lock)
        {
            if (_ended)
                return;
            Console.Error.Write("\r" + text.PadRight(_width));
            _width = Math.Max(_width, text.Length);
        }
    }
}
