using Microsoft.Extensions.Logging;

namespace Tunnel.Tests.Support;

/// <summary>A logger, of every name, that keeps what it is told.</summary>
internal sealed class LogLines : ILogger, ILoggerFactory
{
    private readonly List<string> _lines = [];

    public string[] All
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>The least important that somebody reads.</summary>
    public LogLevel Level { get; set; } = LogLevel.Trace;

    public bool Has(string text) => All.Any(line => line.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // Nothing is held.
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= Level;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add(formatter(state, exception));
    }
}
